"""The table of metrics, every value from the table of predictions."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby

import numpy as np
import pyarrow as pa

from bakeoff.metrics import checks
from bakeoff.metrics.definitions import METRICS, PER_CLASS
from bakeoff.metrics.interface import Metric, Outcomes, confusion
from bakeoff.metrics.outcomes import Run, outcomes, pooled
from bakeoff.tables import origin

ALL = -1  # of folds: the repeat as a whole; of repeats: the protocol as a whole

# A share's value, numerator and denominator; the last two are NaN for other metrics.
Value = tuple[float, float, float]


def metrics_rows(predictions: pa.Table, study: str) -> dict[str, list]:
    """Columns of the table of metrics of one or more tables of predictions.

    Every applicable metric is given at three levels:

    - repeat r, fold k: the images of one run;
    - repeat r, fold -1: all images of the repeat, each counted once;
    - repeat -1, fold -1: the mean over the repeats. Shares are the sum of numerators
      over the sum of denominators, which is the mean where repeats are equally large.
      At this level recall, precision, F1 and support are given for each class too;
      support is the mean number of its images per repeat.

    A learning curve, whose repeats train on different numbers of images, has no mean
    over the repeats. A metric without a value (kappa of one class) is null. Raises
    BakeoffError where the predictions contradict themselves (`metrics.checks`).
    """
    runs = outcomes(predictions)
    checks.scored_once(runs)
    checks.same_images(runs)
    curve = origin(predictions).get("design") == "curve"
    rows: dict[str, list] = defaultdict(list)
    for names, own in groupby(
        runs, lambda run: (run.encoder, run.method, run.protocol)
    ):
        place = (study, *names)
        levels = _levels(list(own))
        for (repeat, fold), level in levels.items():
            _append(rows, place, repeat, fold, "", _checked(level, place))
        if not curve:
            repeats = [o for (_, fold), o in levels.items() if fold == ALL]
            _append(rows, place, ALL, ALL, "", _overall(repeats))
            for name, values in _per_class(repeats).items():
                _append(rows, place, ALL, ALL, name, values)
    return dict(rows)


def _levels(runs: Sequence[Run]) -> dict[tuple[int, int], Outcomes]:
    """Outcomes by (repeat, fold), and of each repeat as a whole by (repeat, ALL)."""
    levels = {(run.repeat, run.fold): run.outcomes for run in runs}
    for repeat, own in groupby(runs, lambda run: run.repeat):
        levels[repeat, ALL] = pooled(list(own))
    return levels


def _values(o: Outcomes) -> dict[str, Value]:
    return {
        name: _value(metric, o) for name, metric in METRICS.items() if metric.applies(o)
    }


def _value(metric: Metric, o: Outcomes) -> Value:
    value, n = metric.value(o), len(o.y_true)
    return (value, round(value * n), n) if metric.share else (value, np.nan, np.nan)


def _checked(o: Outcomes, place: tuple[str, ...]) -> dict[str, Value]:
    values, where = _values(o), ", ".join(place)
    plain = {name: value for name, (value, _, _) in values.items()}
    checks.counts_agree(o, plain, where)
    checks.within_range(plain, where)
    return values


def _overall(repeats: Sequence[Outcomes]) -> dict[str, Value]:
    return {
        name: overall_value(metric, repeats)
        for name, metric in METRICS.items()
        if metric.applies(repeats[0])
    }


def overall_value(metric: Metric, repeats: Sequence[Outcomes]) -> Value:
    """A metric over all repeats: what is printed, and what comparisons test.

    The mean over the repeats, each as a whole; shares are the sum of numerators over the
    sum of denominators. NaN where a repeat has no value.
    """
    each = [_value(metric, o) for o in repeats]
    mean, above, below = np.mean(each, axis=0)
    above, below = above * len(each), below * len(each)
    return (float(above / below) if metric.share else float(mean), above, below)


def _per_class(repeats: Sequence[Outcomes]) -> dict[str, dict[str, Value]]:
    """By class: recall, precision, F1 and support, counted over all repeats."""
    c = np.sum([confusion(o) for o in repeats], axis=0)
    hits, borne, predicted = np.diagonal(c), c.sum(axis=1), c.sum(axis=0)
    counts = {
        "recall": (hits, borne),
        "precision": (hits, predicted),
        "f1": (2 * hits, borne + predicted),
    }
    checks.supports_agree(borne, sum(len(o.y_true) for o in repeats), "all repeats")
    rows: dict[str, dict[str, Value]] = {}
    for k, name in enumerate(repeats[0].classes):
        rows[name] = {
            metric: (share(c)[k], counts[metric][0][k], counts[metric][1][k])
            for metric, share in PER_CLASS.items()
        }
        rows[name]["support"] = (borne[k] / len(repeats), borne[k], len(repeats))
    return rows


def _append(
    rows: dict[str, list],
    place: tuple[str, ...],
    repeat: int,
    fold: int,
    label: str,
    values: dict[str, Value],
) -> None:
    for metric, (value, above, below) in values.items():
        for name, text in zip(
            ("study", "encoder", "method", "protocol"), place, strict=True
        ):
            rows[name].append(text)
        rows["repeat"].append(repeat)
        rows["fold"].append(fold)
        rows["class"].append(label)
        rows["metric"].append(metric)
        for name, number in zip(
            ("value", "numerator", "denominator"), (value, above, below), strict=True
        ):
            rows[name].append(float(number))
