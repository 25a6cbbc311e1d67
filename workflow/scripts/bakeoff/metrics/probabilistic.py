"""Proper scores and calibration of predicted probabilities.

Symbols: p (n, K) probabilities whose rows sum to 1; y (n,) true class indices; an
image's confidence is its largest probability, its hit whether that class is the true
one. Proper scores are means of per-image terms; calibration errors are not, and depend
on n: beside each stands the value that a perfectly calibrated model would show.
"""

from collections.abc import Callable, Iterator

import numpy as np

BINS = 15
_FLOOR = 1e-15  # of a probability whose logarithm is taken
_DRAWS = 200
_CELLS = 8_000_000  # of a block of draws


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


def ece(confidence: np.ndarray, hit: np.ndarray, bins: int = BINS) -> np.ndarray:
    """(...) expected calibration error of the top label, in bins of equal width.

    confidence: (n,); hit: (..., n) 0 or 1. Sum over bins of n_b / n |hits_b -
    confidence_b| (Guo et al. 2017, eq. 3); a bin holds its upper edge. Biased upwards,
    the more the fewer the images.
    """
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap = (hit - confidence) @ np.eye(bins)[bin_of]  # (..., bins)
    return np.abs(gap).sum(axis=-1) / len(confidence)


def rms_calibration_error(
    confidence: np.ndarray, hit: np.ndarray, bins: int = BINS
) -> np.ndarray:
    """(...) root of the debiased mean squared calibration error of the top label.

    confidence: (n,); hit: (..., n) 0 or 1. In min(bins, n / 20) bins of equally many
    images, the squared gap of each bin minus its sampling variance, hits (1 - hits) /
    (n_b - 1) (Kumar, Liang and Ma 2019, section 5); 0 where the sum is negative, NaN
    with fewer than two images.
    """
    n = len(confidence)
    if n < 2:
        return np.full(np.shape(hit)[:-1], np.nan)
    order = np.argsort(confidence, kind="stable")
    starts = np.linspace(0, n, max(1, min(bins, n // 20)) + 1).astype(int)
    size = np.diff(starts)
    rate = np.add.reduceat(hit[..., order], starts[:-1], axis=-1) / size
    gap = rate - np.add.reduceat(confidence[order], starts[:-1]) / size
    squared = (size / n * (gap**2 - rate * (1 - rate) / (size - 1))).sum(axis=-1)
    return np.sqrt(np.maximum(squared, 0.0))


def of_perfect_model(
    error: Callable[[np.ndarray, np.ndarray], np.ndarray],
    confidence: np.ndarray,
    rng: np.random.Generator,
    draws: int = _DRAWS,
) -> float:
    """Mean `error` of a model whose hits are as frequent as its confidences say."""
    found = [
        error(confidence, hits.astype(float))
        for hits in perfect_hits(confidence, draws, rng)
    ]
    return float(np.mean(np.concatenate(found)))


def perfect_hits(
    confidence: np.ndarray, draws: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """(b, n) bool, `draws` rows in all: hits as frequent as confidence (n,) says.

    In blocks, so that memory does not grow with draws times images.
    """
    n = len(confidence)
    block = max(1, _CELLS // max(1, n))
    for start in range(0, draws, block):
        yield rng.random((min(block, draws - start), n)) < confidence


def top_label(p: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) confidence and (n,) hit, 0 or 1, of the most probable class."""
    return p.max(axis=1), (p.argmax(axis=1) == y).astype(float)
