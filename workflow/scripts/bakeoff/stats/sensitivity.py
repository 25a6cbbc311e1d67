"""How far a verdict over folds depends on what is assumed of its error."""

import numpy as np
from scipy import stats

from bakeoff.stats.proportions import clustered_difference
from bakeoff.stats.result import Result


def sum_of_errors(
    a: np.ndarray, b: np.ndarray, groups: np.ndarray, confidence: float = 0.95
) -> Result:
    """Interval of mean(a) - mean(b) that asks nothing of how the two vary together.

    a, b: (n,) terms of each image when it was tested, such as 1 for right, means over
    repeats; groups: (n,) labels, whole groups being independent. The error of each mean
    is the cluster-robust one; that of a difference is at most the sum of both (Cauchy
    and Schwarz), whether or not the comparison is stable:

        m_a - m_b  +-  z (error_a + error_b)

    The central limit theorem for cross-validation (Bayle et al. 2020, NeurIPS) holds
    for stable learners one by one, but can fail for their difference; Bayle, Janson &
    Mackey (2025, arXiv 2508.04409) show where. Speaks of the trained models' error, as
    averaged over folds. n counts groups; NaN for fewer than two.
    """
    errors = [_error(x, groups) for x in (a, b)]
    units, estimate = len(np.unique(groups)), float(np.mean(a) - np.mean(b))
    half = float(stats.norm.ppf((1 + confidence) / 2)) * sum(errors)
    return Result(units, estimate, estimate - half, estimate + half)


def _error(x: np.ndarray, groups: np.ndarray) -> float:
    result = clustered_difference(x, groups)
    quantile = (
        float(stats.t.ppf(0.975, result.df)) if np.isfinite(result.df) else np.nan
    )
    return (result.high - result.low) / (2 * quantile)


def gain_by_repeats(folds: int, repeats: int) -> float:
    """The largest share by which further repeats can narrow an interval over folds.

    The variance of a mean over R repeats of k folds is proportional to
    1 / R + k n_test / n_train, and n_test / n_train = 1 / (k - 1): of this only 1 / R
    falls with R. Variance between repeats, which is added, does not fall either.
    """
    stays = folds / (folds - 1)
    return float(1 - np.sqrt(stays / (1 / repeats + stays)))
