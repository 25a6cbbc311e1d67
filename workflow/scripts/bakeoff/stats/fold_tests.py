"""Tests over the means of runs as they were published, to stand beside ours.

x holds the J differences of two methods, one per run. DON'T read any of them as evidence:
`paired_t` takes runs that share most of their training images for independent, and is
grossly wrong over repeated folds; `nadeau_bengio` allows for the training images, but
not for repeats, groups or common test images (docs/benchmarks.md, calibration).
`stats.over_runs` has the tests that verdicts rest on.
"""

import numpy as np
from scipy import stats

from bakeoff.stats.result import Result
from bakeoff.stats.student import Estimate


def nadeau_bengio(differences: np.ndarray, ratio: float) -> Estimate:
    """Mean of x, error^2 = s^2 (1/J + ratio), df = J - 1.

    ratio: test images / training images of a run. Zero error where all differences are
    equal: rounding alone is no variance. ValueError for fewer than two differences, or
    some that are not finite.

    Nadeau & Bengio (2003), Machine Learning 52:239, section 4; for repeated folds
    Bouckaert & Frank (2004).
    """
    x = np.asarray(differences, dtype=float).ravel()
    if len(x) < 2 or not np.isfinite(x).all():
        raise ValueError(f"need at least 2 finite differences, got {x}")
    deviation = float(x.std(ddof=1))
    if deviation <= 1e-12 * np.abs(x).max():
        deviation = 0.0
    error = deviation * np.sqrt(1 / len(x) + ratio)
    return Estimate(float(x.mean()), float(error), len(x) - 1, len(x))


def paired_t(differences: np.ndarray) -> Estimate:
    """The naive paired t test: `nadeau_bengio` with ratio 0."""
    return nadeau_bengio(differences, 0.0)


def five_by_two_f(differences: np.ndarray) -> Result:
    """Combined F test of five repetitions of twofold cross-validation.

    differences: (5, 2). F = sum x^2 / (2 sum s_i^2) with s_i^2 = sum_j (x_ij - m_i)^2,
    on (10, 5) degrees of freedom; df holds the first. p is NaN where no repetition
    varies. Alpaydin (1999), Neural Computation 11:1885.
    """
    x = np.asarray(differences, dtype=float)
    if x.shape != (5, 2):
        raise ValueError(f"5x2 test needs (5, 2) differences, got {x.shape}")
    spread = ((x - x.mean(axis=1, keepdims=True)) ** 2).sum()
    if spread == 0:
        return Result(10, float(x.mean()), df=10)
    statistic = float((x**2).sum() / (2 * spread))
    p = float(stats.f.sf(statistic, 10, 5))
    return Result(10, float(x.mean()), statistic=statistic, df=10, p=p)
