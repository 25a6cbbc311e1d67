"""Tests of two fitted models on one fixed test set of a made-up study."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from bakeoff.metrics.definitions import METRICS
from bakeoff.metrics.interface import Outcomes
from bakeoff.stats.proportions import (
    clustered_difference,
    mcnemar_midp,
    paired_shares,
    tango,
)
from bakeoff.stats.resampling import (
    bootstrap,
    jackknife,
    jackknife_error,
    percentile_interval,
    sign_flip,
    terms_of,
)
from bakeoff.stats.result import Result
from bakeoff.stats.student import Estimate, t_test
from calibration_studies import Scenario, draw, fit_predict, outcomes_of, signal_of

REPLICATES, FRESH = 999, 10_000


def findings(
    s: Scenario, rng: np.random.Generator
) -> Iterator[tuple[str, bool, bool | None, float]]:
    """Rejections on exchanged predictions, coverage of the truth on fresh images.

    Two fitted models are never exactly alike; exchanged image by image, or group by
    group, at random, they are.
    """
    mu = signal_of(s, rng)
    sample, test = (draw(s, mu, n, rng) for n in (s.n, s.design.test))
    many = replace(s, groups=0, size=1) if s.groups else s
    fresh = draw(many, mu, FRESH, rng)
    pair, truth = (
        [
            outcomes_of(s, t.y, fit_predict(s, sample.x[e], sample.y, t.x[e]))
            for e in (0, 1)
        ]
        for t in (test, fresh)
    )
    units = test.units if s.grouped else None
    gaps = [METRICS[m].value(truth[0]) - METRICS[m].value(truth[1]) for m in s.metrics]
    null = pair if s.behind else _exchanged(pair, test.units, rng)
    real, exchanged = (_results(s, p, units, rng) for p in (pair, null))
    for (name, m, result), (_, _, under_null) in zip(real, exchanged, strict=True):
        inside = bool(result.low <= gaps[m] <= result.high)
        half = (result.high - result.low) / 2
        yield name, bool(under_null.p <= 0.05), inside, half


def _results(
    s: Scenario,
    pair: list[Outcomes],
    units: np.ndarray | None,
    rng: np.random.Generator,
) -> Iterator[tuple[str, int, Result]]:
    """(test, place of its metric, result)."""
    yield from _shares(pair, units)
    terms = [terms_of(o, [METRICS[m] for m in s.metrics], units) for o in pair]
    replicates, left_out = bootstrap(terms, REPLICATES, rng), jackknife(terms)
    p = sign_flip(terms, [(0, 1)], REPLICATES, rng)[0]
    observed, n = terms[0].observed() - terms[1].observed(), terms[0].units
    for m, name in enumerate(s.metrics):
        gap = replicates[0, m] - replicates[1, m]
        ends = percentile_interval(gap, units=None if units is None else n)
        yield (
            f"{name}: sign-flip, bootstrap interval (before)",
            m,
            Result(n, observed[m], *ends, p=p[m]),
        )
        error = jackknife_error(left_out[0, m] - left_out[1, m])
        estimate = Estimate(float(observed[m]), float(error), n - 1.0, n)
        result = t_test(estimate) if error > 0 else Result(n, 0.0, 0.0, 0.0, p=1.0)
        yield f"{name}: jackknife t", m, result


def _shares(
    pair: list[Outcomes], units: np.ndarray | None
) -> Iterator[tuple[str, int, Result]]:
    right = [(o.y_true == o.y_pred).astype(float) for o in pair]
    if units is not None:
        estimate = clustered_difference(right[0] - right[1], units)
        yield "accuracy: cluster t", 0, t_test(estimate)
        return
    b, c = (int((right[i] > right[1 - i]).sum()) for i in (0, 1))
    n = len(right[0])
    before = Result(n, (b - c) / n, *tango(b, c, n), p=mcnemar_midp(b, c))
    yield "accuracy: McNemar mid-p, Tango (before)", 0, before
    yield "accuracy: McNemar mid-p with Tango", 0, paired_shares(b, c, n)


def _exchanged(
    pair: list[Outcomes], units: np.ndarray, rng: np.random.Generator
) -> list[Outcomes]:
    swap = rng.integers(0, 2, units.max() + 1).astype(bool)[units]
    first, second = (o.y_pred for o in pair)
    return [
        replace(pair[0], y_pred=np.where(swap, second, first)),
        replace(pair[1], y_pred=np.where(swap, first, second)),
    ]
