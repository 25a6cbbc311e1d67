"""Comparison on one fixed set of test images: image by image, or group by group."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import nan

import numpy as np

from bakeoff.compare.design import Groups, Panel
from bakeoff.compare.rows import Question, Row
from bakeoff.compare.units import unit_names
from bakeoff.metrics.interface import MeanMetric, Outcomes
from bakeoff.metrics.outcomes import pooled
from bakeoff.stats.power import detectable_difference
from bakeoff.stats.proportions import (
    clustered_difference,
    mcnemar_exact,
    newcombe,
    paired_shares,
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
from bakeoff.stats.result import Result
from bakeoff.stats.student import Estimate, chances, detectable, t_test

# Below this many groups, resampling whole groups is rough.
FEW_GROUPS = 20
_INDEPENDENT = "assumes that images are independent"
_NO_SPREAD = "the two do not differ from unit to unit, so there is no interval"

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
    the t test of the delete-one jackknife, over whole groups where there are groups;
    image-level rows are then not primary and say so. Beside it the sign-flip p with the
    percentile interval of the paired bootstrap, which may differ about zero.
    """
    primary = _jackknife_row(question, metric, pair, r, confidence)
    beside = [_resampled_row(question, metric, pair, r, confidence)]
    definition = r.metrics[metric]
    if not (isinstance(definition, MeanMetric) and definition.share):
        return [primary, *beside]
    right = [definition.terms(r.outcomes[e]) for e in pair]
    midp, exact = _mcnemar_rows(question, right, primary, confidence)
    if r.groups is None:
        return [midp, exact, replace(primary, primary=False), *beside]
    robust = clustered_difference(right[0] - right[1], r.groups)
    wrong = f"{_INDEPENDENT}, which grouped images are not: no verdict"
    image_level = [replace(m, primary=False, note=wrong) for m in (midp, exact)]
    cluster = _cluster_row(question, robust, confidence)
    beside.append(replace(cluster, primary=False))
    return [primary, *beside, *image_level]


def on_fixed_class(
    question: Question, k: int, pair: Pair, r: Resampled, confidence: float
) -> list[Row]:
    """Rows of one pair's recall of class k: McNemar, or cluster-robust with groups.

    No rows for a class without images.
    """
    own = r.outcomes[0].y_true == k
    if not own.any():
        return []
    right = [(r.outcomes[e].y_pred[own] == k).astype(float) for e in pair]
    units = np.arange(own.sum()) if r.groups is None else r.groups[own]
    robust = clustered_difference(right[0] - right[1], units)
    row = _cluster_row(question, robust, confidence)
    if r.groups is None:
        return [_mcnemar_rows(question, right, row, confidence)[0]]
    return [row]


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
    return outcomes, unit_names(ids[order], groups)


def _resampled_row(
    question: Question,
    metric: int,
    pair: Pair,
    r: Resampled,
    confidence: float,
) -> Row:
    gap = r.gaps[pair]
    gaps = gap.replicates[metric]
    few = r.units if r.groups is not None else None
    low, high = nan, nan
    if np.nanstd(gaps) > 1e-15:
        low, high = percentile_interval(gaps, confidence, few)
    value, p = float(gap.observed[metric]), float(gap.p[metric])
    result = Result(r.units, value, low, high, p=p)
    test = "sign_flip" if r.groups is None else "cluster_sign_flip"
    return Row(question, test, False, result, confidence, note=_note(r))


def _note(r: Resampled) -> str:
    if r.groups is None:
        return _INDEPENDENT
    few = f"; with fewer than {FEW_GROUPS} groups no p below {2 / 2**r.units:.2g}"
    return f"{r.units} groups" + (few if r.units < FEW_GROUPS else "")


def _jackknife_row(
    question: Question,
    metric: int,
    pair: Pair,
    r: Resampled,
    confidence: float,
) -> Row:
    gap = r.gaps[pair]
    value, error = float(gap.observed[metric]), float(gap.error[metric])
    estimate = Estimate(value, error, r.units - 1.0, r.units)
    note = f"{r.units} groups" if r.groups is not None else _INDEPENDENT
    return _t_row(question, "jackknife", estimate, confidence, note)


def _t_row(
    question: Question, test: str, e: Estimate, confidence: float, note: str
) -> Row:
    """A primary row whose interval, p, chances and power come from one t test."""
    if not e.varies:
        note += f"; {_NO_SPREAD}"
    reach = detectable(e, alpha=1 - confidence)
    told = chances(e, question.band)
    return Row(
        question, test, True, t_test(e, confidence), confidence, told, reach, note
    )


def _mcnemar_rows(
    question: Question, right: Sequence[np.ndarray], t_row: Row, confidence: float
) -> tuple[Row, Row]:
    """Mid-p and exact; the chances are those of a t test of the same difference."""
    a, b = right
    only_a, only_b, n = int((a > b).sum()), int((b > a).sum()), len(a)
    both = int((a + b == 2).sum())
    reach = detectable_difference(n, (only_a + only_b) / n, alpha=1 - confidence)
    note = f"only a right: {only_a}, only b right: {only_b}; {_INDEPENDENT}"
    midp = Row(
        question,
        "mcnemar_midp",
        True,
        paired_shares(only_a, only_b, n, confidence),
        confidence,
        t_row.chances,
        reach,
        note,
    )
    neither = n - only_a - only_b - both
    ends = newcombe(only_a, only_b, both, neither, confidence)
    exact = Result(n, (only_a - only_b) / n, *ends, p=mcnemar_exact(only_a, only_b))
    return midp, Row(question, "mcnemar_exact", False, exact, confidence, note=note)


def _cluster_row(question: Question, robust: Estimate, confidence: float) -> Row:
    return _t_row(question, "cluster_t", robust, confidence, f"{robust.units} groups")
