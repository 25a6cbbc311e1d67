"""How well scores order images and classes: AUROC, average precision, top k, tau.

Symbols: s (n, K) scores, larger for a more likely class; y (n,) true class indices.
"""

import numpy as np


def top_k_terms(s: np.ndarray, y: np.ndarray, k: int) -> np.ndarray:
    """(n,) 1 where fewer than k classes score higher than the true one.

    Of classes with equal scores the first in order is taken first, as by argmax.
    """
    own = s[np.arange(len(y)), y][:, None]
    earlier = np.arange(s.shape[1])[None, :] < y[:, None]
    ahead = ((s > own) | ((s == own) & earlier)).sum(axis=1)
    return (ahead < k).astype(float)


def auroc(s: np.ndarray, y: np.ndarray) -> float:
    """Mean over classes of the area under the curve of class against rest.

    Of a class: the share of pairs (an image of it, an image of another) in which its
    own image scores higher, ties counting half (Mann-Whitney). Classes that no image or
    all images bear are left out; NaN where none is left.
    """
    areas = [_auroc(s[:, k], y == k) for k in np.unique(y)]
    return float(np.mean(areas)) if len(areas) > 1 else float("nan")


def _auroc(score: np.ndarray, positive: np.ndarray) -> float:
    n, m = positive.sum(), (~positive).sum()
    return float((_ranks(score)[positive].sum() - n * (n + 1) / 2) / (n * m))


def _ranks(score: np.ndarray) -> np.ndarray:
    """(n,) ranks from 1; equal scores share the mean of theirs."""
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    return (count.cumsum() - (count - 1) / 2)[place]


def mean_average_precision(s: np.ndarray, y: np.ndarray) -> float:
    """Mean over the classes that bear images of the average precision of their images.

    The retrieval of a class's images by its score: text to image, where scores are
    those of prompts. NaN where there are no images.
    """
    areas = [average_precision(s[:, k], y == k) for k in np.unique(y)]
    return float(np.mean(areas)) if areas else float("nan")


def average_precision(score: np.ndarray, relevant: np.ndarray) -> float:
    """Sum over thresholds of precision times the recall gained; no interpolation.

    Items of equal score pass a threshold together, so that their order cannot matter.
    """
    order = np.argsort(-score, kind="stable")
    hits, ranked = relevant[order].cumsum(), score[order]
    last = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(score) - 1)
    precision, recall = hits[last] / (last + 1), hits[last] / hits[-1]
    return float((precision * np.diff(recall, prepend=0.0)).sum())


def kendall_tau(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Kendall's tau-b of two (n,) sequences; NaN where one of them is constant."""
    # Here, since every figure knows the metrics and none needs half a second of scipy.
    from scipy.stats import kendalltau

    return float(kendalltau(truth, predicted).statistic)
