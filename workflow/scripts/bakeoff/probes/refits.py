"""Ridge regression without each image in turn, in closed form.

H = 1/n + U U' is the hat matrix of all n images, E = I - H, r = E y. Trained without the
images S, the residuals of S are (E_SS)^-1 r_S (Cook and Weisberg 1982, eq. 2.2.8). For a
run that leaves out the images o, and a unit i more, S is o and i together; by blocks,
with A = (E_oo)^-1, B = E_oi and the residuals a = A r_o of the run itself,

    residuals of o without i = a - A B (E_ii - B' A B)^-1 (r_i - B' a)

so that no fit is done twice. A unit that the run leaves out anyway changes nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bakeoff.metrics.influence import Summable
from bakeoff.metrics.interface import MeanMetric, Outcomes
from bakeoff.probes.interface import Problem

_CELLS_PER_BLOCK = 4_000_000


@dataclass(frozen=True)
class Left:
    """What one run leaves out: rows of its test images, and of all it does not train on.

    Both ascend; the first are among the second.
    """

    repeat: int
    test: np.ndarray
    out: np.ndarray


def hat_root(x: np.ndarray, alpha: float) -> np.ndarray:
    """(n, rank) U with hat matrix 1/n + U U', of ridge regression with an intercept.

    x: (n, d) features of all images.
    """
    centred = x - x.mean(axis=0)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    keep = singular > singular.max() * max(x.shape) * np.finfo(float).eps
    s = singular[keep] ** 2
    return left[:, keep] * np.sqrt(s / (s + alpha))


def values_without(
    root: np.ndarray,
    y: np.ndarray,
    problem: Problem,
    runs: Sequence[Left],
    metrics: Sequence[Summable],
    units: np.ndarray,
) -> np.ndarray:
    """(G, M) metrics, means over the repeats, with each unit left out everywhere.

    root: (n, rank) of `hat_root`; y: (n,) class indices; units: (n,) numbers 0..G-1. A
    unit is left out of training and of test. Labels are the nearest of the predicted
    numbers.
    """
    groups = units.max() + 1
    total = np.zeros((groups, len(metrics)))
    repeats = sorted({run.repeat for run in runs})
    for repeat in repeats:
        own = [run for run in runs if run.repeat == repeat]
        test = np.concatenate([run.test for run in own])
        raw = np.concatenate([refitted(root, y, problem, r, units) for r in own], 1)
        total += _metrics_of(raw, y[test], problem, metrics, units[test])
    return total / len(repeats)


def refitted(
    root: np.ndarray, y: np.ndarray, problem: Problem, run: Left, units: np.ndarray
) -> np.ndarray:
    """(G, n_test) predicted numbers of a run's test images without each unit."""
    n, target = len(y), problem.values[y]
    centred = target - target.mean()
    residual = centred - root @ (root.T @ centred)
    own = root[run.out]
    inverse = np.linalg.inv(np.eye(len(own)) - 1 / n - own @ own.T)
    plain = inverse @ residual[run.out]
    shown = np.searchsorted(run.out, run.test)
    numbers = np.repeat((target[run.out] - plain)[None, :], units.max() + 1, axis=0)
    trained = np.setdiff1d(np.arange(n), run.out)
    for rows in _by_size(units, trained):
        columns = rows.ravel()
        across = (-1 / n - root[columns] @ own.T).reshape(*rows.shape, -1)
        solved = (across.reshape(len(columns), -1) @ inverse).reshape(across.shape)
        u = root[rows]
        inner = np.eye(rows.shape[1]) - 1 / n - u @ u.transpose(0, 2, 1)
        inner = inner - across @ solved.transpose(0, 2, 1)
        right = residual[rows] - across @ plain
        step = np.linalg.solve(inner, right[:, :, None])
        numbers[units[rows[:, 0]]] += (step.transpose(0, 2, 1) @ solved)[:, 0]
    return numbers[:, shown]


def _by_size(units: np.ndarray, rows: np.ndarray) -> Iterator[np.ndarray]:
    """Rows (units, size) of the units among `rows`, in blocks of one size."""
    _, number, size = np.unique(units[rows], return_inverse=True, return_counts=True)
    order = np.argsort(number, kind="stable")
    sizes = size[number[order]]
    for s in np.unique(size):
        whole = rows[order[sizes == s]].reshape(-1, s)
        width = max(1, _CELLS_PER_BLOCK // (len(units) * int(s)))
        for start in range(0, len(whole), width):
            yield whole[start : start + width]


def _metrics_of(
    raw: np.ndarray,
    y: np.ndarray,
    problem: Problem,
    metrics: Sequence[Summable],
    units: np.ndarray,
) -> np.ndarray:
    """(G, M) metrics of the images of all other units; raw (G, n): a row per unit."""
    groups, n = raw.shape
    kept = units[None, :] != np.arange(groups)[:, None]
    k = len(problem.classes)
    o = Outcomes(
        np.tile(y, groups),
        problem.nearest(raw.ravel()),
        problem.classes,
        problem.values,
        raw.ravel(),
        ordinal=True,
    )
    cell = (np.arange(groups)[:, None] * k * k).repeat(n, 1) + (
        o.y_true * k + o.y_pred
    ).reshape(groups, n)
    tables = np.bincount(cell[kept], minlength=groups * k * k).reshape(groups, k, k)
    columns = []
    for metric in metrics:
        if isinstance(metric, MeanMetric):
            terms = metric.terms(o).reshape(groups, n)
            means = np.where(kept, terms, 0).sum(axis=1) / kept.sum(axis=1)
            columns.append(metric.finish(means))
        else:
            columns.append(metric.compute(tables.astype(float), problem.values))
    return np.column_stack(columns)


def jackknife_variance(without: np.ndarray) -> float:
    """Delete-one variance (G - 1)/G sum (v_i - mean)^2 of values (G,) without each unit."""
    g = len(without)
    return float((g - 1) / g * ((without - without.mean()) ** 2).sum())
