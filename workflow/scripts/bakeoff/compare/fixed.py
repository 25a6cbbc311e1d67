"""Comparison on one fixed set of test images: image by image, or group by group."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import nan

import numpy as np
from scipy import stats

from bakeoff.compare.design import Groups, Panel
from bakeoff.compare.rows import Question, Row
from bakeoff.metrics.interface import ConfusionMetric, Outcomes
from bakeoff.metrics.outcomes import pooled
from bakeoff.stats.power import detectable_difference, least_p_of_flips
from bakeoff.stats.proportions import (
    clustered_difference,
    mcnemar_exact,
    mcnemar_midp,
    newcombe,
    tango,
)
from bakeoff.stats.resampling import (
    Summable,
    Terms,
    bootstrap,
    jackknife,
    jackknife_error,
    merged,
    percentile_interval,
    sign_flip,
    terms_of,
)
from bakeoff.stats.result import Chances, Result

# Below this many groups, resampling whole groups is rough.
FEW_GROUPS = 20
_INDEPENDENT = "assumes that images are independent"

# Places of two encoders.
Pair = tuple[int, int]


@dataclass(frozen=True)
class Gap:
    """One pair's difference in all M metrics, resampled R times.

    observed: (M,); replicates: (M, R); error: (M,) of the jackknife; p: (M,) two-sided
    of the sign flip. A metric whose best value is zero is compared by absolute values.
    """

    observed: np.ndarray
    replicates: np.ndarray
    error: np.ndarray
    p: np.ndarray


@dataclass(frozen=True)
class Resampled:
    """Everything resampled; units are groups, or images where there are none."""

    outcomes: list[Outcomes]
    groups: np.ndarray | None
    metrics: list[Summable]
    units: int
    gaps: dict[Pair, Gap]


def resample(
    panel: Panel,
    metrics: Sequence[Summable],
    pairs: Sequence[Pair],
    groups: Groups | None,
    replicates: int,
    rng: np.random.Generator,
) -> Resampled:
    """Bootstrap, sign-flip and jackknife of all pairs of a panel."""
    outcomes, labels = _aligned(panel, groups)
    terms = [terms_of(o, metrics, labels) for o in outcomes]
    gaps: dict[Pair, Gap] = {}
    for own, places in _together(terms, pairs):
        gaps |= _gaps(own, places, replicates, rng)
    return Resampled(outcomes, labels, list(metrics), terms[0].units, gaps)


def _together(
    terms: Sequence[Terms], pairs: Sequence[Pair]
) -> list[tuple[Sequence[Terms], dict[Pair, Pair]]]:
    """Encoders that are resampled together, and where each pair stands among them.

    All at once; or, with very many images, pair by pair, as the images that are equal
    in two encoders are many more than those that are equal in all.
    """
    alone = {(a, b): merged([terms[a], terms[b]]) for a, b in pairs}
    if any(own[0].times is None for own in alone.values()):
        return [(terms, {pair: pair for pair in pairs})]
    return [(own, {pair: (0, 1)}) for pair, own in alone.items()]


def _gaps(
    terms: Sequence[Terms],
    places: dict[Pair, Pair],
    replicates: int,
    rng: np.random.Generator,
) -> dict[Pair, Gap]:
    zero = np.array([m.better == "zero" for m in terms[0].metrics], bool)
    flipped = sign_flip(terms, list(places.values()), replicates, rng, magnitude=zero)
    drawn = bootstrap(terms, replicates, rng)
    left_out = jackknife(terms)
    observed = np.array([t.observed() for t in terms])
    for values in (observed, drawn, left_out):
        here = np.flatnonzero(zero)
        values[:, here] = np.abs(values[:, here])
    return {
        pair: Gap(
            observed[a] - observed[b],
            drawn[a] - drawn[b],
            jackknife_error(left_out[a] - left_out[b], terms[0].times),
            p,
        )
        for (pair, (a, b)), p in zip(places.items(), flipped, strict=True)
    }


def on_fixed_images(
    question: Question,
    metric: int,
    pair: Pair,
    r: Resampled,
    confidence: float,
) -> list[Row]:
    """Rows of one pair and one metric, given by its place in r.metrics.

    Shares of independent images: McNemar's mid-p with Tango's interval. Anything else:
    sign-flip p with the percentile interval of the paired bootstrap, over whole groups
    where there are groups; image-level rows are then not primary and say so.
    """
    resampled = _resampled_row(question, metric, pair, r, confidence)
    definition = r.metrics[metric]
    if isinstance(definition, ConfusionMetric):
        return [resampled, _jackknife_row(question, metric, pair, r, confidence)]
    if not definition.share:
        return [resampled]
    right = [definition.terms(r.outcomes[e]) for e in pair]
    mcnemar = _mcnemar_rows(question, right, resampled, r, confidence)
    if r.groups is None:
        return [*mcnemar, replace(resampled, primary=False)]
    robust = clustered_difference(right[0] - right[1], r.groups, confidence)
    return [resampled, _cluster_row(question, robust, confidence), *mcnemar]


def on_fixed_class(
    question: Question, k: int, pair: Pair, r: Resampled, confidence: float
) -> list[Row]:
    """Rows of one pair's recall of class k: McNemar, or cluster-robust with groups.

    No rows for a class without images. The chances are those of a t distribution round
    the difference, which needs no resampling class by class.
    """
    own = r.outcomes[0].y_true == k
    if not own.any():
        return []
    right = [(r.outcomes[e].y_pred[own] == k).astype(float) for e in pair]
    units = np.arange(own.sum()) if r.groups is None else r.groups[own]
    robust = clustered_difference(right[0] - right[1], units, confidence)
    error = _standard_error(robust, confidence)
    chances = _chances_of_t(robust, error, question.band)
    if r.groups is None:
        b, c, n = _discordant(right)
        reach = detectable_difference(n, (b + c) / n, alpha=1 - confidence)
        row = _midp_row(question, right, chances, confidence)
        return [replace(row, detectable=reach)]
    row = _cluster_row(question, robust, confidence)
    reach = _reach(error, confidence)
    return [replace(row, primary=True, chances=chances, detectable=reach)]


def _aligned(
    panel: Panel, groups: Groups | None
) -> tuple[list[Outcomes], np.ndarray | None]:
    """Outcomes of every encoder in the order of image ids, and the images' groups."""
    ids = np.concatenate([run.image_ids for run in panel.runs[panel.encoders[0]]])
    order = np.argsort(ids)
    outcomes = []
    for encoder in panel.encoders:
        own = np.concatenate([run.image_ids for run in panel.runs[encoder]])
        outcomes.append(pooled(panel.runs[encoder]).take(np.argsort(own)))
    if groups is None:
        return outcomes, None
    # An image without a group is a group of its own.
    labels = [groups.get(str(i)) for i in ids[order]]
    named = [
        f"image {i}" if g is None else f"group {g}"
        for i, g in zip(ids[order], labels, strict=True)
    ]
    return outcomes, np.array(named)


def _resampled_row(
    question: Question,
    metric: int,
    pair: Pair,
    r: Resampled,
    confidence: float,
) -> Row:
    gap = r.gaps[pair]
    gaps = gap.replicates[metric]
    chances, spread = _chances(gaps, question.band)
    few = r.units if r.groups is not None else None
    low, high = nan, nan
    if spread > 0:
        low, high = percentile_interval(gaps, confidence, few)
    result = Result(
        r.units,
        float(gap.observed[metric]),
        low,
        high,
        p=float(gap.p[metric]),
    )
    test = "sign_flip" if r.groups is None else "cluster_sign_flip"
    possible = least_p_of_flips(r.units) <= 1 - confidence
    detectable = _reach(spread, confidence) if possible else nan
    note = _note(r, spread)
    return Row(question, test, True, result, confidence, chances, detectable, note)


def _note(r: Resampled, spread: float) -> str:
    if not spread > 0:
        return "the two agree on every image: no interval can be estimated"
    if r.groups is None:
        return _INDEPENDENT
    few = f"; fewer than {FEW_GROUPS} groups, so the interval is rough"
    return f"{r.units} groups" + (few if r.units < FEW_GROUPS else "")


def _chances(gaps: np.ndarray, band: float) -> tuple[Chances | None, float]:
    """Chances from replicates, and their standard deviation."""
    gaps = gaps[np.isfinite(gaps)]
    spread = float(gaps.std()) if len(gaps) else nan
    if not spread > 1e-15:
        return None, 0.0
    above, below = float((gaps > band).mean()), float((gaps < -band).mean())
    return Chances(above, max(0.0, 1 - above - below), below), spread


def _reach(spread: float, confidence: float, power: float = 0.8) -> float:
    """Difference found `power` of the time by a z test with this standard error."""
    z = stats.norm.ppf((1 + confidence) / 2) + stats.norm.ppf(power)
    return float(z * spread) if spread > 0 else nan


def _jackknife_row(
    question: Question,
    metric: int,
    pair: Pair,
    r: Resampled,
    confidence: float,
) -> Row:
    error = float(r.gaps[pair].error[metric])
    estimate = float(r.gaps[pair].observed[metric])
    half = float(stats.norm.ppf((1 + confidence) / 2)) * error
    if not error > 0:
        return Row(question, "jackknife", False, Result(r.units, estimate), confidence)
    z = estimate / error
    p = float(2 * stats.norm.sf(abs(z)))
    result = Result(r.units, estimate, estimate - half, estimate + half, z, p=p)
    supports = np.bincount(r.outcomes[0].y_true)
    small = supports[supports > 0].min()
    note = f"smallest class: {small} images; steadier than the bootstrap below about 10"
    return Row(question, "jackknife", False, result, confidence, note=note)


def _discordant(right: Sequence[np.ndarray]) -> tuple[int, int, int]:
    a, b = right
    return int((a > b).sum()), int((b > a).sum()), len(a)


def _mcnemar_rows(
    question: Question,
    right: Sequence[np.ndarray],
    resampled: Row,
    r: Resampled,
    confidence: float,
) -> list[Row]:
    b, c, n = _discordant(right)
    both = int((right[0] + right[1] == 2).sum())
    midp = _midp_row(question, right, resampled.chances, confidence)
    reach = detectable_difference(n, (b + c) / n, alpha=1 - confidence)
    ends = newcombe(b, c, both, n - b - c - both, confidence)
    exact = Result(n, (b - c) / n, *ends, p=mcnemar_exact(b, c))
    midp = replace(midp, detectable=reach, primary=r.groups is None)
    rows = [
        midp,
        Row(question, "mcnemar_exact", False, exact, confidence, note=midp.note),
    ]
    if r.groups is None:
        return rows
    wrong = f"{_INDEPENDENT}, which grouped images are not: no verdict"
    return [replace(row, note=wrong) for row in rows]


def _midp_row(
    question: Question,
    right: Sequence[np.ndarray],
    chances: Chances | None,
    confidence: float,
) -> Row:
    b, c, n = _discordant(right)
    ends = tango(b, c, n, confidence)
    result = Result(n, (b - c) / n, *ends, b - c, p=mcnemar_midp(b, c))
    note = f"only a right: {b}, only b right: {c}; {_INDEPENDENT}"
    return Row(question, "mcnemar_midp", True, result, confidence, chances, note=note)


def _cluster_row(question: Question, result: Result, confidence: float) -> Row:
    note = f"{result.n} groups"
    if result.low == result.high:
        result = replace(result, low=nan, high=nan, p=nan)
        note += "; no spread between groups, so no interval can be estimated"
    return Row(question, "cluster_t", False, result, confidence, note=note)


def _standard_error(result: Result, confidence: float) -> float:
    """Of a t test, from its interval; NaN where there is none."""
    quantile = float(stats.t.ppf((1 + confidence) / 2, result.df))
    return (result.high - result.low) / (2 * quantile)


def _chances_of_t(result: Result, error: float, band: float) -> Chances | None:
    if not error > 0:
        return None
    posterior = stats.t(result.df, result.estimate, error)
    above, below = float(posterior.sf(band)), float(posterior.cdf(-band))
    return Chances(above, max(0.0, 1 - above - below), below)
