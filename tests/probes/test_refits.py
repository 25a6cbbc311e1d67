"""Refits without each image: the closed form against fitting again."""

import numpy as np
import pytest
from bakeoff.metrics.definitions import METRICS
from bakeoff.metrics.interface import Outcomes
from bakeoff.probes import refits
from bakeoff.probes.interface import Problem
from bakeoff.probes.refits import Left, hat_root, refitted, values_without
from sklearn.linear_model import Ridge

PROBLEM = Problem(tuple("12345"), np.array([1.0, 2, 3, 4, 6]), True)
METRIC_NAMES = ("rmse", "mae", "qwk", "bias", "within_1", "macro_mae")


def study(d: int, n: int = 24) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(d)
    return rng.normal(size=(n, d)), rng.integers(0, 5, n)


def again(x, y, run: Left, gone: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows that are still tested without `gone`, and what a new fit predicts of them."""
    train = np.setdiff1d(np.arange(len(y)), np.union1d(run.out, gone))
    test = np.setdiff1d(run.test, gone)
    fit = Ridge(alpha=2.0).fit(x[train], PROBLEM.values[y[train]])
    return test, fit.predict(x[test]) if len(test) else np.empty(0)


@pytest.mark.parametrize("d", [5, 40])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_predictions_without_each_unit_are_those_of_new_fits(d, size):
    x, y = study(d)
    units = np.arange(24) // size
    out = np.flatnonzero(units % 4 == 1)
    run = Left(0, out[: len(out) // 2], out)  # the rest as if left out for validation
    found = refitted(hat_root(x, 2.0), y, PROBLEM, run, units)
    for g in range(units.max() + 1):
        gone = np.flatnonzero(units == g)
        test, numbers = again(x, y, run, gone)
        kept = np.isin(run.test, test)
        assert found[g][kept] == pytest.approx(numbers, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("d", [5, 40])
def test_metrics_without_each_unit_are_those_of_new_fits(d, monkeypatch):
    x, y = study(d)
    units = np.append(np.arange(20), [20, 20, 21, 21])
    rng, runs = np.random.default_rng(1), []
    for repeat in range(2):
        fold = (rng.permutation(22) % 3)[units]
        parts = [np.flatnonzero(fold == k) for k in range(3)]
        runs += [Left(repeat, part, part) for part in parts]
    metrics = [METRICS[name] for name in METRIC_NAMES]
    monkeypatch.setattr(refits, "_CELLS_PER_BLOCK", 100)
    found = values_without(hat_root(x, 2.0), y, PROBLEM, runs, metrics, units)
    for g in range(22):
        gone = np.flatnonzero(units == g)
        each = []
        for repeat in range(2):
            parts = [again(x, y, run, gone) for run in runs if run.repeat == repeat]
            test = np.concatenate([rows for rows, _ in parts])
            raw = np.concatenate([numbers for _, numbers in parts])
            o = Outcomes(y[test], PROBLEM.nearest(raw), PROBLEM.classes,
                         PROBLEM.values, raw, ordinal=True)  # fmt: skip
            each.append([metric.value(o) for metric in metrics])
        assert found[g] == pytest.approx(np.mean(each, axis=0), rel=1e-9, abs=1e-9)
