"""The table of comparisons: every pair, every metric, every test that is allowed."""

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa

from bakeoff.compare.by_repeat import ByRepeat
from bakeoff.compare.design import Design, Groups, Panel, design_of, panels
from bakeoff.compare.fixed import on_fixed_class, on_fixed_images, resample
from bakeoff.compare.labels import default_band
from bakeoff.compare.over_folds import (
    OF_ORDER,
    over_class,
    over_folds,
    published_rows,
)
from bakeoff.compare.refits import Refits, refits_of
from bakeoff.compare.rows import Question, Row, columns, decide, refusal
from bakeoff.compare.values import FoldValues, fold_values
from bakeoff.errors import BakeoffError
from bakeoff.metrics.definitions import METRICS
from bakeoff.metrics.interface import Metric, OrderMetric
from bakeoff.schemas import SCHEMAS

RECALL = "recall"
_OF_ORDER = (
    "on a fixed test set, metrics of order are not resampled; their values stand in the "
    "table of metrics"
)


def columns_for(metric_names: Sequence[str]) -> list[str]:
    """The columns of predictions that `compare` needs for these metrics.

    Scores, the widest of them, only for a metric that is made from scores.
    """
    known = (METRICS[name] for name in metric_names if name in METRICS)
    scores = any(metric.needs != "labels" for metric in known)
    unused = {"seed"} if scores else {"seed", "scores"}
    return [name for name in SCHEMAS["predictions"].names if name not in unused]


def compare(
    predictions: Iterable[pa.Table],
    metrics: pa.Table,
    folds: Mapping[str, pa.Table],
    *,
    study: str,
    metric_names: Sequence[str],
    encoders: Sequence[str] = (),
    bands: Mapping[str, float] | None = None,
    confidence: float = 0.95,
    groups: Groups | None = None,
    finetuned: Collection[str] = (),
    refits: Iterable[pa.Table] = (),
    replicates: int = 10_000,
    seed: int = 0,
    per_class: bool = True,
) -> dict[str, list[Any]]:
    """Columns of the table of comparisons of one study.

    predictions: tables as they were read, of any encoders, methods and protocols, with
    the columns that `columns_for` names at least and one at a time if need be; pairs
    are formed within a method and protocol. metrics: the study's table of metrics,
    whose values per run the published tests over runs use. folds: {protocol: table of
    folds}, which give the number of training images and show whether groups straddle.
    refits: tables of metrics without each unit, of the methods that have them. encoders:
    the order in which pairs are formed, the first minus the second; by name without
    it. bands: half width of the equivalence band of a metric, in its own unit; `recall` for the
    tests class by class. groups: {image id: group or None}, or None where the study
    has none. finetuned: encoders that were trained on the training images.

    Raises BakeoffError for metrics that are unknown or that no predictions allow, for
    encoders of different images, runs or classes, and for missing folds.
    """
    found = panels(predictions, encoders)
    _check_metrics(metric_names, found)
    values, known = fold_values(metrics, study), refits_of(refits)
    rows: list[Row] = []
    for panel in found:
        design = design_of(panel, folds, groups, finetuned)
        ask = _Questions(study, panel, bands or {}, metric_names, per_class)
        if design.kind == "refused":
            rows += [refusal(q, design.reason, confidence) for *_, q in ask.all()]
        elif design.kind == "runs":
            own = ByRepeat(panel, groups)
            rows += _rows_over_runs(own, panel, ask, values, design, known, confidence)
        else:
            rng = np.random.default_rng([seed, _stream(panel)])
            rows += _rows_fixed(panel, ask, groups, replicates, rng, confidence)
    decide(rows)
    return columns(rows)


class _Questions:
    """What is asked of one panel."""

    def __init__(
        self,
        study: str,
        panel: Panel,
        bands: Mapping[str, float],
        metric_names: Sequence[str],
        per_class: bool,
    ) -> None:
        self._study, self._panel, self._bands = study, panel, bands
        first = panel.runs[panel.encoders[0]][0].outcomes
        self.metrics: list[Metric] = [
            METRICS[m] for m in metric_names if METRICS[m].applies(first)
        ]
        self.classes = first.classes if per_class else ()
        self.pairs = list(combinations(range(len(panel.encoders)), 2))

    def by_metric(self) -> list[tuple[tuple[int, int], int, Question]]:
        """(pair, place of the metric, question) for all classes together."""
        return [
            (pair, m, self._question(pair, metric.name, "", metric.better))
            for m, metric in enumerate(self.metrics)
            for pair in self.pairs
        ]

    def by_class(self) -> list[tuple[tuple[int, int], int, Question]]:
        """(pair, place of the class, question) for the recall of every class."""
        return [
            (pair, k, self._question(pair, RECALL, name, "higher"))
            for pair in self.pairs
            for k, name in enumerate(self.classes)
        ]

    def all(self) -> list[tuple[tuple[int, int], int, Question]]:
        """Both."""
        return self.by_metric() + self.by_class()

    def _question(
        self, pair: tuple[int, int], metric: str, label: str, better: Any
    ) -> Question:
        encoders = self._panel.encoders
        return Question(
            self._study,
            self._panel.method,
            self._panel.protocol,
            metric,
            label,
            encoders[pair[0]],
            encoders[pair[1]],
            better,
            self._bands.get(metric, default_band(metric)),
            self._panel.images,
        )


def _rows_over_runs(
    own: ByRepeat,
    panel: Panel,
    ask: _Questions,
    values: FoldValues,
    design: Design,
    refits: Refits,
    confidence: float,
) -> list[Row]:
    repeat = np.array([repeat for repeat, _ in panel.keys])
    regression = panel.runs[panel.encoders[0]][0].outcomes.from_regression
    rows: list[Row] = []
    for _, m, q in ask.by_metric():
        metric = ask.metrics[m]
        if isinstance(metric, OrderMetric):
            rows.append(refusal(q, OF_ORDER, confidence))
            continue
        # Exact hits of rounded numbers behave like a classifier's; distances do not.
        smooth = metric.smooth or (regression and metric.ordinal)
        rows.append(
            over_folds(
                q,
                own.difference(metric, q.a, q.b),
                design,
                confidence,
                smooth=smooth,
                refitted=refits.variance(q, own.names) if smooth else None,
            )
        )
        a, b = (_by_run(panel, values, e, q.metric) for e in (q.a, q.b))
        rows += published_rows(q, a, b, repeat, design, confidence)
    for _, k, q in ask.by_class():
        rows.append(
            over_class(q, own.difference_of_class(k, q.a, q.b), design, confidence)
        )
    return rows


def _rows_fixed(
    panel: Panel,
    ask: _Questions,
    groups: Groups | None,
    replicates: int,
    rng: np.random.Generator,
    confidence: float,
) -> list[Row]:
    if not ask.pairs:
        return []
    # Tests class by class need the images in order even where nothing is resampled.
    wanted = [*ask.metrics, METRICS["accuracy"]]
    summable = [m for m in wanted if not isinstance(m, OrderMetric)]
    place = {metric.name: m for m, metric in enumerate(summable)}
    r = resample(panel, summable, ask.pairs, groups, replicates, rng)
    rows: list[Row] = []
    for pair, _, q in ask.by_metric():
        if q.metric in place:
            rows += on_fixed_images(q, place[q.metric], pair, r, confidence)
        else:
            rows.append(refusal(q, _OF_ORDER, confidence))
    for pair, k, q in ask.by_class():
        rows += on_fixed_class(q, k, pair, r, confidence)
    return rows


def _by_run(panel: Panel, values: FoldValues, encoder: str, metric: str) -> np.ndarray:
    """(J,) values of one encoder's runs; BakeoffError where the table lacks them."""
    own = values.get((encoder, panel.method, panel.protocol, metric), {})
    missing = [key for key in panel.keys if key not in own]
    if missing:
        raise BakeoffError(
            f"comparison of {panel.method}, {panel.protocol}",
            f"no {metric} of {encoder} for {len(missing)} of {len(panel.keys)} runs",
            "a value per run in the table of metrics",
            "Make the table of metrics again from these predictions.",
        )
    return np.array([own[key] for key in panel.keys])


def _check_metrics(names: Sequence[str], found: Sequence[Panel]) -> None:
    unknown = [name for name in names if name not in METRICS]
    first = [p.runs[p.encoders[0]][0].outcomes for p in found]
    useless = [
        name
        for name in names
        if name in METRICS
        and first
        and not any(METRICS[name].applies(o) for o in first)
    ]
    if unknown or useless:
        raise BakeoffError(
            "comparison, metrics",
            f"unknown: {unknown}; not for these labels: {useless}",
            f"metrics among {sorted(METRICS)}; errors and kappa need ordinal labels",
            "Correct the list of metrics of the study.",
        )


def _stream(panel: Panel) -> int:
    """A number of the panel's own, so that no other panel moves its random numbers."""
    return zlib.crc32(f"{panel.method}\0{panel.protocol}".encode())
