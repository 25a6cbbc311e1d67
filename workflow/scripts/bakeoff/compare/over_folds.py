"""Comparison of a trained method over its runs: the corrected t and its neighbours."""

import numpy as np

from bakeoff.compare.design import Panel
from bakeoff.compare.rows import Question, Row, refusal
from bakeoff.metrics.interface import confusion
from bakeoff.metrics.matrix import recalls
from bakeoff.stats.fold_tests import (
    Runs,
    corrected_t,
    correlated_chances,
    detectable_by_folds,
    five_by_two_f,
    paired_t,
)
from bakeoff.stats.result import Result


def over_folds(
    question: Question,
    a: np.ndarray,
    b: np.ndarray,
    ratio: float,
    repeat: np.ndarray,
    confidence: float,
    *,
    grouped: bool = False,
) -> list[Row]:
    """Rows of one pair and metric from its values a, b: (J,), one per run.

    repeat: (J,) number of the repeat of each run. grouped: whether images come in
    groups; repeated folds of them count as one repeat.

    The corrected t is primary; the naive one is there, labelled. Runs that leave the
    metric undefined are left out and counted in the note; fewer than two that remain
    are a refusal. Where all differences are equal, as between two encoders that are
    always right, there is no interval and the verdict is inconclusive. A metric whose
    best value is zero is compared by its distance from zero, as measured along the side
    on which the mean of all runs lies.
    """
    if question.better == "zero":
        a, b = a * np.sign(np.nanmean(a)), b * np.sign(np.nanmean(b))
    d = a - b
    defined = np.isfinite(d)
    if defined.sum() < 2:
        reason = f"the metric is defined in {defined.sum()} of {len(d)} runs"
        return [refusal(question, reason, confidence)]
    runs = Runs(d[defined], ratio, repeat[defined], grouped)
    result = corrected_t(runs, confidence)
    chances = correlated_chances(runs, question.band)
    detectable = detectable_by_folds(runs, alpha=1 - confidence)
    note = _note(runs, repeat, result)
    naive = "assumes that runs are independent, which they are not: no verdict"
    rows = [
        Row(
            question, "corrected_t", True, result, confidence, chances, detectable, note
        ),
        Row(
            question,
            "paired_t",
            False,
            paired_t(runs.differences, confidence),
            confidence,
            note=naive,
        ),
    ]
    if defined.all() and len(d) == 10 and len(np.unique(repeat)) == 5:
        f = five_by_two_f(d.reshape(5, 2))
        rows.append(Row(question, "five_by_two_f", False, f, confidence))
    return rows


def _note(runs: Runs, repeat: np.ndarray, result: Result) -> str:
    """What was run, and what the error of the mean is made of."""
    repeats = len(np.unique(repeat))
    parts = [
        f"{repeats} x {len(repeat) // repeats} runs, n_test / n_train = {runs.ratio:.4g}"
    ]
    if left_out := len(repeat) - len(runs.differences):
        parts.append(f"{left_out} runs undefined, left out")
    if runs.repeated:
        parts.append(
            f"images come in groups, so {repeats} repeats count as one"
            if runs.grouped
            else "variance between the repeats added"
        )
    if np.isnan(result.p):
        parts.append("all runs differ alike, so nothing tells how far they might")
    return "; ".join(parts)


def recalls_by_run(panel: Panel) -> dict[str, np.ndarray]:
    """{encoder: (J, K)} recall of every class in every run; NaN without images."""
    return {
        encoder: np.array([recalls(confusion(run.outcomes)) for run in runs])
        for encoder, runs in panel.runs.items()
    }
