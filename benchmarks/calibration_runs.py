"""Tests over runs of one made-up study, as comparisons print them and as before."""

from collections.abc import Iterator
from math import nan

import numpy as np
from bakeoff.metrics.definitions import METRICS
from bakeoff.metrics.influence import Summable, contributions
from bakeoff.metrics.interface import Outcomes
from bakeoff.probes.interface import Problem
from bakeoff.probes.refits import jackknife_variance, values_without
from bakeoff.stats.over_runs import over_runs
from bakeoff.stats.student import Estimate, t_test
from calibration_studies import Scenario, Study, study_of

# Test, whether it rejects, whether its interval holds the truth, its half width.
Finding = tuple[str, bool, bool | None, float]
# Metrics of numbers before they are rounded to classes, whatever the probe.
SMOOTH = ("rmse", "nll", "brier", "rps")
# Refits of more runs than this would take most of the time.
REFITTED_RUNS = 12


def findings(s: Scenario, rng: np.random.Generator) -> Iterator[Finding]:
    """Every metric by every test; the truth is zero, and unknown where one is behind."""
    study = study_of(s, rng)
    metrics = [METRICS[name] for name in s.metrics]
    refits = _refit_variances(study, metrics)
    for m, metric in enumerate(metrics):
        value, d = _contributions(study, metric)
        tested = np.isfinite(d).any(axis=0)
        units = np.unique(study.units[tested], return_inverse=True)[1]
        given = (value, d[:, tested], units, study.layout)
        found = {"per run (before)": _before(study, metric)}
        smooth = s.numbers or metric.name in SMOOTH
        few_shot = study.layout.kind in ("crossed", "drawn")
        if not smooth or few_shot:
            found["images x draws" if few_shot else "per unit"] = over_runs(*given)
        else:
            found["per unit"] = over_runs(*given)
            found["per unit, 4 a"] = over_runs(*given, smooth=True)
            if refits is not None:
                found["per unit, refits or 4 a"] = over_runs(
                    *given, smooth=True, refitted=refits[m]
                )
        for name, estimate in found.items():
            yield _finding(s, f"{metric.name}: {name}", estimate)


def _finding(s: Scenario, name: str, estimate: Estimate) -> Finding:
    result = t_test(estimate)
    inside = None if s.behind else bool(result.low <= 0 <= result.high)
    if not estimate.varies:  # no interval, hence no verdict
        return name, False, None if s.behind else True, nan
    return name, result.p <= 0.05, inside, (result.high - result.low) / 2


def _contributions(study: Study, metric: Summable) -> tuple[float, np.ndarray]:
    """The difference as printed, and (R, n) contributions to it."""
    pairs = np.array([[metric.value(o) for o in pair] for pair in study.repeats])
    value, signs = pairs.mean(axis=0), np.ones(2)
    if metric.better == "zero":
        signs = np.sign(value)
    d = np.full((len(study.rows), len(study.units)), nan)
    for row, pair, images in zip(d, study.repeats, study.rows, strict=True):
        a, b = (contributions(metric, o) for o in pair)
        row[images] = signs[0] * a - signs[1] * b
    return float(signs @ (value * (1, -1))), d


def _refit_variances(study: Study, metrics: list[Summable]) -> list[float] | None:
    if study.left is None or len(study.left) > REFITTED_RUNS:
        return None
    o: Outcomes = study.repeats[0][0]
    problem = Problem(o.classes, o.values, True)
    without = [
        values_without(root, study.sample.y, problem, study.left, metrics, study.units)
        for root in study.roots
    ]
    for m, metric in enumerate(metrics):
        if metric.better == "zero":
            for values in without:
                values[:, m] = np.abs(values[:, m])
    return [jackknife_variance(column) for column in (without[0] - without[1]).T]


def _before(study: Study, metric: Summable) -> Estimate:
    """The test that was printed before: Nadeau and Bengio's over runs.

    Repeated folds added the variance between repeats; of grouped images they counted the
    folds of one repeat.
    """
    values = np.array([[metric.value(o) for o in pair] for pair in study.runs])
    if metric.better == "zero":
        values = values * np.sign(values.mean(axis=0))
    x, repeat = values[:, 0] - values[:, 1], study.run_repeat
    n, between, repeats = len(x), 0.0, np.unique(repeat)
    if 1 < len(repeats) < n and study.scenario.grouped:
        n = len(x) // len(repeats)
    elif 1 < len(repeats) < n:
        between = np.var([x[repeat == r].mean() for r in repeats], ddof=1)
    error = np.sqrt(x.var(ddof=1) * (1 / n + study.ratio) + between)
    return Estimate(float(x.mean()), float(error), n - 1, n)
