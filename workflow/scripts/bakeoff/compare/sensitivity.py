"""Beside every primary interval over folds, one that assumes less of its error."""

from collections.abc import Iterable

import numpy as np

from bakeoff.compare.design import Groups, Panel
from bakeoff.compare.rows import Question, Row
from bakeoff.metrics.definitions import METRICS
from bakeoff.metrics.interface import MeanMetric
from bakeoff.stats.sensitivity import sum_of_errors

_NOTE = (
    "conservative: asks nothing of how the two vary together; about the models of these "
    "folds"
)


def sensitivity_rows(
    panel: Panel,
    questions: Iterable[tuple[tuple[int, int], int, Question]],
    groups: Groups | None,
    confidence: float,
) -> list[Row]:
    """Rows that are not primary, of shares of images alone: means of terms by image."""
    rows: list[Row] = []
    for _, _, q in questions:
        metric = METRICS[q.metric]
        if isinstance(metric, MeanMetric) and metric.share:
            (ids, a), (_, b) = (_by_image(panel, e, metric) for e in (q.a, q.b))
            units = np.array([_unit(str(image), groups) for image in ids])
            result = sum_of_errors(a, b, units, confidence)
            rows.append(Row(q, "sum_of_errors", False, result, confidence, note=_NOTE))
    return rows


def _by_image(
    panel: Panel, encoder: str, metric: MeanMetric
) -> tuple[np.ndarray, np.ndarray]:
    """Ids of all images tested, sorted, and the mean of each image's terms."""
    runs = panel.runs[encoder]
    ids, place = np.unique(
        np.concatenate([run.image_ids for run in runs]).astype(str), return_inverse=True
    )
    terms = np.concatenate([metric.terms(run.outcomes) for run in runs])
    return ids, np.bincount(place, terms) / np.bincount(place)


def _unit(image: str, groups: Groups | None) -> str:
    group = (groups or {}).get(image)
    return f"image {image}" if group is None else f"group {group}"
