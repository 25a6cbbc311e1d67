"""Thresholds that turn a predicted number into an ordinal label."""

import numpy as np


def best_cuts(raw: np.ndarray, y: np.ndarray, n_classes: int) -> np.ndarray:
    """(n_classes - 1,) ascending thresholds with the most exact hits.

    raw: (n,) predicted numbers; y: (n,) class indices. A number above exactly j
    thresholds is given class j. Exact: the best split of the sorted numbers into
    n_classes consecutive runs, empty ones allowed, by dynamic programming over
    hits[k, i], the most hits among the i smallest numbers with classes 0..k. Each
    threshold lies midway between the numbers that it separates; -inf or inf where it
    separates none. Of equally good splits, thresholds as low as possible are taken.
    """
    order = np.argsort(raw, kind="stable")
    numbers, labels = raw[order], y[order]
    hit = labels[None, :] == np.arange(n_classes)[:, None]
    within = np.concatenate([np.zeros((n_classes, 1)), hit.cumsum(axis=1)], axis=1)
    # Runs may only end where two neighbouring numbers differ.
    ends = np.concatenate([[True], numbers[1:] > numbers[:-1], [True]])
    best, starts = _forward(within, ends)
    cuts = np.empty(n_classes - 1)
    i = len(numbers)
    for k in range(n_classes - 1, 0, -1):
        i = starts[k, i]
        cuts[k - 1] = _midway(numbers, i)
    assert best[-1] >= within[:, -1].max()
    return cuts


def _forward(within: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Most hits by number of images taken, and where each class's run begins.

    best_k[i] = within_k[i] + max over j <= i of (best_{k-1}[j] - within_k[j]).
    """
    n_classes, width = within.shape
    starts = np.zeros((n_classes, width), dtype=int)
    best = within[0].copy()
    for k in range(1, n_classes):
        gain = np.where(ends, best - within[k], -np.inf)
        peak = np.maximum.accumulate(gain)
        fresh = np.concatenate([[True], gain[1:] > peak[:-1]])
        starts[k] = np.maximum.accumulate(np.where(fresh, np.arange(width), 0))
        best = within[k] + peak
    return best, starts


def _midway(numbers: np.ndarray, i: int) -> float:
    if i == 0:
        return -np.inf
    if i == len(numbers):
        return np.inf
    return float((numbers[i - 1] + numbers[i]) / 2)
