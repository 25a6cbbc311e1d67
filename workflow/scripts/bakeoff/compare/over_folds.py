"""Comparison of a trained method over its runs: one test per layout, and its neighbours."""

from dataclasses import replace

import numpy as np

from bakeoff.compare.by_repeat import Difference
from bakeoff.compare.design import Design
from bakeoff.compare.rows import Question, Row, refusal
from bakeoff.stats.fold_tests import five_by_two_f, nadeau_bengio, paired_t
from bakeoff.stats.over_runs import Layout, over_runs
from bakeoff.stats.student import Estimate, chances, detectable, t_test

OF_ORDER = (
    "no valid test is known over runs for metrics of order, such as AUROC and calibration "
    "error; their values stand in the table of metrics"
)
_UNDEFINED = (
    "the metric has no value in one of the repeats, or not without one of its images"
)
_EQUAL = "all images differ by the same amount, so nothing shows how far it might vary"
_NAIVE = "assumes that runs are independent, which they are not: no verdict"
_PUBLISHED = (
    "takes the variance from the means of the runs and ignores repeats and groups: no "
    "verdict"
)


def over_folds(
    question: Question,
    difference: Difference,
    design: Design,
    confidence: float,
    *,
    smooth: bool = False,
    refitted: float | None = None,
) -> Row:
    """The primary row of one pair and metric.

    smooth and refitted are those of `over_runs`. A metric that is undefined in a repeat,
    or without one of its images, is refused. Where all images differ by the same amount,
    as between two encoders that are always right, there is no interval and the verdict is
    inconclusive.
    """
    assert design.layout is not None, "a design of several runs has a layout"
    if not difference.defined:
        return refusal(question, _UNDEFINED, confidence)
    given = (difference.value, difference.d, difference.units, design.layout)
    estimate = over_runs(*given, smooth=smooth, refitted=refitted)
    test = _test(design.layout, smooth, refitted is not None)
    note = _note(difference, design.layout, test)
    if not estimate.varies:
        note += f"; {_EQUAL}"
    return Row(
        question,
        test,
        True,
        t_test(estimate, confidence),
        confidence,
        chances(estimate, question.band),
        detectable(estimate, alpha=1 - confidence),
        note,
    )


def over_class(
    question: Question, difference: Difference, design: Design, confidence: float
) -> Row:
    """The same for the recall of one class, over its images alone."""
    assert design.layout is not None, "a design of several runs has a layout"
    layout = design.layout
    if layout.kind in ("folds", "holdout") and difference.d.size:
        passes = float(np.isfinite(difference.d).sum() / difference.d.shape[1])
        layout = replace(layout, images=difference.d.shape[1], passes=passes)
    return over_folds(question, difference, replace(design, layout=layout), confidence)


def published_rows(
    question: Question,
    a: np.ndarray,
    b: np.ndarray,
    repeat: np.ndarray,
    design: Design,
    confidence: float,
) -> list[Row]:
    """Tests over the means of runs a, b (J,), which readers know and none may rest on.

    repeat: (J,) number of the repeat of each run. A metric whose best value is zero is
    compared by its distance from zero on the side of the mean of all runs. Runs without
    a value are left out; no rows with fewer than two others.
    """
    assert design.layout is not None, "a design of several runs has a layout"
    if question.better == "zero":
        a, b = a * np.sign(np.nanmean(a)), b * np.sign(np.nanmean(b))
    d = a - b
    defined = d[np.isfinite(d)]
    if len(defined) < 2:
        return []
    found: list[tuple[str, Estimate, str]] = [("paired_t", paired_t(defined), _NAIVE)]
    if design.layout.kind in ("folds", "holdout"):
        published = nadeau_bengio(defined, design.ratio)
        found.insert(0, ("nadeau_bengio", published, _PUBLISHED))
    rows = [
        Row(question, test, False, t_test(e, confidence), confidence, note=note)
        for test, e, note in found
    ]
    if len(defined) == len(d) == 10 and len(np.unique(repeat)) == 5:
        f = five_by_two_f(d.reshape(5, 2))
        rows.append(Row(question, "five_by_two_f", False, f, confidence))
    return rows


def _test(layout: Layout, smooth: bool, refitted: bool) -> str:
    if layout.kind in ("crossed", "drawn"):
        return "crossed_t"
    if not smooth:
        return "corrected_t"
    return "refitted_t" if refitted else "bounded_t"


def _note(difference: Difference, layout: Layout, test: str) -> str:
    """What was run, and what the error is made of."""
    repeats, images = difference.d.shape
    units = len(np.unique(difference.units))
    counted = f"{images:,} images" if units == images else f"{units:,} groups"
    if test == "crossed_t":
        share = f"{100 * layout.fraction:.3g} %"
        return f"{repeats} draws, each of {share} of its pool; {counted} tested"
    parts = [f"{repeats} repeats of the same {counted}"]
    if repeats == 1:
        parts = [counted]
    parts.append(f"images / training images = {layout.reuse:.4g}")
    if test == "bounded_t":
        parts.append(
            "training images may weigh as much as test images, and are taken to"
        )
    if test == "refitted_t":
        parts.append(
            "error from refits without each, or its bound where that is smaller"
        )
    return "; ".join(parts)
