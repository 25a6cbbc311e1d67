"""Tests over the folds of a cross-validation, where training images are shared.

J is the number of (repeat, fold) differences x_j = a_j - b_j, m their mean, s^2 their
variance (n - 1), ratio = test images / training images of a run.

DON'T read `paired_t` as evidence: folds share most of their training images, so its
errors exceed their nominal level, grossly so over repeated folds. It is computed only
to be shown beside the corrected test.
"""

from math import nan

import numpy as np
from scipy import stats

from bakeoff.stats.result import Chances, Result


def corrected_t(
    differences: np.ndarray,
    ratio: float,
    confidence: float = 0.95,
    count: int | None = None,
) -> Result:
    """Nadeau-Bengio corrected t test of a mean fold difference, with its interval.

    differences: (J,) in units of the metric, J >= 2; ratio: mean of n_test / n_train
    over the runs. t = m / sqrt(s^2 (1/J + ratio)), J - 1 degrees of freedom. Where all
    differences are equal, nothing tells how far they might vary: there is no interval,
    and statistic and p are NaN. ValueError for J < 2 or values that are not finite.

    count: takes the place of J in the formula, for repeated folds of images that come
    in groups. With few groups, repeats divide the same groups again and again, and the
    test with J rejects too often; with the folds of one repeat for count, repeats
    steady the mean and are not counted (docs/benchmarks.md, calibration, G2).

    Nadeau & Bengio (2003), Machine Learning 52:239, section 4; for repeated folds
    Bouckaert & Frank (2004).
    """
    x = _checked(differences)
    mean, scale, df = _location(x, ratio, count)
    if scale == 0:
        return Result(len(x), mean, df=df)
    half = stats.t.ppf((1 + confidence) / 2, df) * scale
    statistic = mean / scale
    p = float(2 * stats.t.sf(abs(statistic), df))
    return Result(len(x), mean, mean - half, mean + half, statistic, df, p)


def paired_t(differences: np.ndarray, confidence: float = 0.95) -> Result:
    """Naive paired t test, which takes the folds for independent samples.

    As `corrected_t` with ratio 0. Anti-conservative: never a verdict.
    """
    return corrected_t(differences, 0.0, confidence)


def correlated_chances(
    differences: np.ndarray, ratio: float, band: float, count: int | None = None
) -> Chances:
    """Posterior chances of a difference above, within and below +-band.

    The posterior is a Student t with J - 1 degrees of freedom, location m and squared
    scale s^2 (1/J + ratio), so that its tails equal the one-sided p of `corrected_t`.
    NaN where all differences are equal.

    Corani & Benavoli (2015), Machine Learning 100:285; Benavoli et al. (2017).
    """
    x = _checked(differences)
    mean, scale, df = _location(x, ratio, count)
    if scale == 0:
        return Chances(nan, nan, nan)
    posterior = stats.t(df, mean, scale)
    above, below = float(posterior.sf(band)), float(posterior.cdf(-band))
    # Rounding may leave less than nothing between two tails that add up to one.
    return Chances(above, max(0.0, 1 - above - below), below)


def equivalence_p(differences: np.ndarray, ratio: float, band: float) -> float:
    """Two one-sided tests, their p: small where the difference lies within +-band.

    Below 0.05 exactly where the 90 % interval of `corrected_t` lies inside the band; NaN
    where all differences are equal.
    """
    chances = correlated_chances(differences, ratio, band)
    return max(chances.above, chances.below)


def detectable_by_folds(
    differences: np.ndarray,
    ratio: float,
    alpha: float = 0.05,
    power: float = 0.8,
    count: int | None = None,
) -> float:
    """Smallest mean difference that `corrected_t` would find `power` of the time.

    (t_{1 - alpha/2} + t_{power}) standard errors: the usual approximation to the
    noncentral t. NaN where all differences are equal.
    """
    x = _checked(differences)
    _, scale, df = _location(x, ratio, count)
    errors = stats.t.ppf(1 - alpha / 2, df) + stats.t.ppf(power, df)
    return float(errors * scale) if scale else nan


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


def _checked(differences: np.ndarray) -> np.ndarray:
    x = np.asarray(differences, dtype=float).ravel()
    if len(x) < 2 or not np.isfinite(x).all():
        raise ValueError(f"need at least 2 finite differences, got {x}")
    return x


def _location(
    x: np.ndarray, ratio: float, count: int | None = None
) -> tuple[float, float, int]:
    """Mean, standard error, degrees of freedom; rounding alone is not variance."""
    n = len(x) if count is None else min(count, len(x))
    deviation = x.std(ddof=1)
    if deviation <= 1e-12 * np.abs(x).max():
        deviation = 0.0
    return float(x.mean()), float(deviation * np.sqrt(1 / n + ratio)), n - 1
