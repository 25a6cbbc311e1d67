"""What each image contributes to a metric of all images together.

The contribution of image i is v + (n - 1) (m - v_i): v the metric of all n images, v_i
the metric without image i, m the mean of all v_i. So contributions have the metric as
their mean, exactly, and their spread is that of the delete-one jackknife (Efron & Stein
1981). Of a mean of per-image terms, such as accuracy, they are these terms.
"""

from collections.abc import Iterator

import numpy as np

from bakeoff.metrics.interface import ConfusionMetric, MeanMetric, Outcomes, confusion

# Metrics of order (AUROC, Kendall's tau, ECE) would be computed once per image.
Summable = MeanMetric | ConfusionMetric

_CELLS_PER_BLOCK = 4_000_000


def contributions(metric: Summable, outcomes: Outcomes) -> np.ndarray:
    """(n,) contributions, in the metric's unit; their mean is `metric.value`.

    NaN throughout for fewer than two images, and where the metric is undefined with all
    of them or without one.
    """
    n = len(outcomes.y_true)
    if n < 2:
        return np.full(n, np.nan)
    if isinstance(metric, MeanMetric):
        terms = np.asarray(metric.terms(outcomes), dtype=float)
        # Rounding must not take a mean out of the range of what it is a mean of.
        rest = np.clip((terms.sum() - terms) / (n - 1), terms.min(), terms.max())
        without = metric.finish(rest)
    else:
        without = _without_each(metric, outcomes)
    return metric.value(outcomes) + (n - 1) * (without.mean() - without)


def _without_each(metric: ConfusionMetric, outcomes: Outcomes) -> np.ndarray:
    """(n,) values without each image: one per occupied cell of the confusion matrix."""
    table = confusion(outcomes)
    cell = outcomes.y_true * outcomes.n_classes + outcomes.y_pred
    occupied, place = np.unique(cell, return_inverse=True)
    blocks = _less_one(table, occupied)
    values = [metric.compute(block, outcomes.values) for block in blocks]
    return np.concatenate(values)[place]


def _less_one(table: np.ndarray, cells: np.ndarray) -> Iterator[np.ndarray]:
    """(b, K, K) tables, each with one image less in one of the cells."""
    size = max(1, _CELLS_PER_BLOCK // table.size)
    for start in range(0, len(cells), size):
        own = cells[start : start + size]
        block = np.repeat(table.reshape(1, -1), len(own), axis=0)
        block[np.arange(len(own)), own] -= 1
        yield block.reshape(-1, *table.shape)
