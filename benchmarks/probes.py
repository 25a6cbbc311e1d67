"""Probe grids against scikit-learn loops: seconds, ratio and greatest difference.

    python benchmarks/probes.py ridge [images] [features] [folds] [penalties] [rounds]
    python benchmarks/probes.py svc   [images] [features] [folds] [penalties] [rounds]

Both sides get the same vectors, folds and penalties and give the same out-of-fold
predictions for every penalty. They take turns, and the ratio is that of their medians
over the rounds. The loop is what one writes with scikit-learn: `cross_val_predict` per
penalty; for SVC also `GridSearchCV`, which scores and does not keep predictions.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
from bakeoff.probes.interface import Features, Fold, Problem
from bakeoff.probes.ridge import ridge_path
from bakeoff.probes.svc import SupportVectors
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, PredefinedSplit, cross_val_predict
from sklearn.svm import SVC

CLASSES = 10


def data(n: int, d: int, folds: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors of length 1 with a common part, as encoders give; labels; folds."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(n) % CLASSES)
    x = rng.normal(size=(n, d)) + 3 * rng.normal(size=d)
    x += 0.5 * rng.normal(size=(CLASSES, d))[y]
    fold = rng.permutation(np.arange(n) % folds)
    return x / np.linalg.norm(x, axis=1, keepdims=True), y, fold


def ridge_loop(
    x: np.ndarray, y: np.ndarray, fold: np.ndarray, grid: list
) -> np.ndarray:
    """(penalties, n) out-of-fold numbers, one fit per penalty and fold."""
    cv, target = PredefinedSplit(fold), y.astype(float)
    return np.stack([cross_val_predict(Ridge(a), x, target, cv=cv) for a in grid])


def ridge_ours(
    x: np.ndarray, y: np.ndarray, fold: np.ndarray, grid: list
) -> np.ndarray:
    """(penalties, n) out-of-fold numbers, one decomposition per fold."""
    features, target = Features(x), y.astype(float)[:, None]
    out = np.empty((len(grid), len(x)))
    for k in np.unique(fold):
        train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        path = ridge_path(features, train, test, target[train], grid)
        out[:, test] = path[:, :, 0]
    return out


def svc_loop(x: np.ndarray, y: np.ndarray, fold: np.ndarray, grid: list) -> np.ndarray:
    """(penalties, n) out-of-fold classes, one linear SVC per penalty and fold."""
    cv = PredefinedSplit(fold)
    return np.stack([cross_val_predict(_machine(c), x, y, cv=cv) for c in grid])


def svc_search(x: np.ndarray, y: np.ndarray, fold: np.ndarray, grid: list) -> None:
    """The same fits inside GridSearchCV."""
    cv = PredefinedSplit(fold)
    GridSearchCV(_machine(1.0), {"C": grid}, cv=cv, refit=False).fit(x, y)


def svc_ours(x: np.ndarray, y: np.ndarray, fold: np.ndarray, grid: list) -> np.ndarray:
    """(penalties, n) out-of-fold classes, one kernel matrix for all fits."""
    features = Features(x)
    names = tuple(str(c) for c in range(CLASSES))
    problem = Problem(names, np.arange(CLASSES, dtype=float), ordinal=False)
    out = np.empty((len(grid), len(x)), dtype=int)
    for k in np.unique(fold):
        train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        run = Fold(features, train, test, y[train], problem)
        for i, c in enumerate(grid):
            out[i, test] = SupportVectors(C=c).predict(run).y
    return out


def _machine(c: float) -> SVC:
    return SVC(kernel="linear", C=c, class_weight="balanced")


def race(
    name: str, ours: Callable, loop: Callable, rounds: int, *arguments: object
) -> None:
    """Print medians, their ratio, and the greatest difference of the predictions."""
    seconds: dict[str, list[float]] = {"ours": [], "loop": []}
    made = {}
    for _ in range(rounds):
        for side, run in (("ours", ours), ("loop", loop)):
            start = time.perf_counter()
            made[side] = run(*arguments)
            seconds[side].append(time.perf_counter() - start)
    fast, slow = (float(np.median(seconds[side])) for side in ("ours", "loop"))
    print(
        f"{name}: ours {fast:.2f} s, scikit-learn {slow:.2f} s, ratio {slow / fast:.1f}"
    )
    if made["loop"] is not None:
        difference = (
            np.abs(made["ours"] - made["loop"]).max() / np.abs(made["loop"]).max()
        )
        same = (made["ours"] == made["loop"]).mean()
        print(f"{name}: relative difference {difference:.1e}, equal {same:.4%}")


def main(kind: str, n: int, d: int, folds: int, penalties: int, rounds: int) -> None:
    """Run one race."""
    x, y, fold = data(n, d, folds)
    print(f"{n} x {d}, {folds} folds, {penalties} penalties, median of {rounds}")
    if kind == "ridge":
        grid = [float(a) for a in np.logspace(-2, 4, penalties)]
        race("cross_val_predict", ridge_ours, ridge_loop, rounds, x, y, fold, grid)
        return
    grid = [float(c) for c in np.logspace(-3, 1, penalties)]
    race("cross_val_predict", svc_ours, svc_loop, rounds, x, y, fold, grid)
    race("GridSearchCV", svc_ours, svc_search, rounds, x, y, fold, grid)


if __name__ == "__main__":
    kind, *sizes = sys.argv[1:] or ["ridge"]
    default = [10_000, 1152, 10, 20, 3] if kind == "ridge" else [2_000, 1152, 10, 5, 3]
    given = [int(size) for size in sizes]
    main(kind, *given, *default[len(given) :])
