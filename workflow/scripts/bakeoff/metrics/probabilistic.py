"""Proper scores and calibration of predicted probabilities.

Symbols: p (n, K) probabilities whose rows sum to 1; y (n,) true class indices; an
image's confidence is its largest probability, its hit whether that class is the true
one. Proper scores are means of per-image terms; calibration errors are not, and depend
on n: beside each stands the value that a perfectly calibrated model would show.
"""

from collections.abc import Callable

import numpy as np

BINS = 15
_FLOOR = 1e-15  # of a probability whose logarithm is taken
_DRAWS = 200


def log_loss_terms(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n,) minus the natural logarithm of the true class's probability."""
    return -np.log(np.maximum(p[np.arange(len(y)), y], _FLOOR))


def brier_terms(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n,) sum over classes of squared errors, 0 to 2 (Brier 1950; not halved)."""
    truth = np.eye(p.shape[1])[y]
    return ((p - truth) ** 2).sum(axis=1)


def rps_terms(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n,) ranked probability score, 0 to 1: mean squared error of P(class <= k).

    The mean is over k = 0..K-2 (Epstein 1969; Murphy 1971); classes count by rank.
    """
    below = np.arange(p.shape[1])[None, :] >= y[:, None]
    return ((p.cumsum(axis=1) - below)[:, :-1] ** 2).mean(axis=1)


def ece(confidence: np.ndarray, hit: np.ndarray, bins: int = BINS) -> float:
    """Expected calibration error of the top label, in bins of equal width.

    Sum over bins of n_b / n |hits_b - confidence_b| (Guo et al. 2017, eq. 3); a bin
    holds its upper edge. Biased upwards, the more the fewer the images.
    """
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap = np.bincount(bin_of, hit, bins) - np.bincount(bin_of, confidence, bins)
    return float(np.abs(gap).sum() / len(hit))


def rms_calibration_error(
    confidence: np.ndarray, hit: np.ndarray, bins: int = BINS
) -> float:
    """Root of the debiased mean squared calibration error of the top label.

    In min(bins, n / 20) bins of equally many images, the squared gap of each bin minus
    its sampling variance, hits (1 - hits) / (n_b - 1) (Kumar, Liang and Ma 2019,
    section 5); 0 where the sum is negative, NaN with fewer than two images.
    """
    n = len(hit)
    if n < 2:
        return float("nan")
    parts = np.array_split(np.argsort(confidence, kind="stable"), _n_bins(n, bins))
    squared = 0.0
    for part in parts:
        rate = hit[part].mean()
        gap = rate - confidence[part].mean()
        squared += len(part) / n * (gap**2 - rate * (1 - rate) / (len(part) - 1))
    return float(np.sqrt(max(squared, 0.0)))


def of_perfect_model(
    error: Callable[[np.ndarray, np.ndarray], float],
    confidence: np.ndarray,
    rng: np.random.Generator,
    draws: int = _DRAWS,
) -> float:
    """Mean `error` of a model whose hits are as frequent as its confidences say."""
    hits = rng.random((draws, len(confidence))) < confidence
    return float(np.mean([error(confidence, hit) for hit in hits.astype(float)]))


def top_label(p: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) confidence and (n,) hit, 0 or 1, of the most probable class."""
    return p.max(axis=1), (p.argmax(axis=1) == y).astype(float)


def _n_bins(n: int, bins: int) -> int:
    return max(1, min(bins, n // 20))
