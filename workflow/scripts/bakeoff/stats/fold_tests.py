"""Tests over the folds of a cross-validation, where training images are shared.

J is the number of (repeat, fold) differences x_j = a_j - b_j, m their mean, s^2 their
variance (n - 1), ratio = test images / training images of a run.

DON'T read `paired_t` as evidence: folds share most of their training images, so its
errors exceed their nominal level, grossly so over repeated folds. It is computed only
to be shown beside the corrected test.
"""

from dataclasses import dataclass
from functools import cached_property
from math import nan

import numpy as np
from scipy import stats

from bakeoff.stats.result import Chances, Result


@dataclass(frozen=True)
class Runs:
    """Differences of two methods over the runs of one protocol.

    differences: (J,) in units of the metric, J >= 2; ratio: mean of n_test / n_train
    over the runs; repeat: (J,) number of the repeat that each run belongs to, None
    where nothing was repeated; grouped: whether images come in groups. ValueError for
    J < 2 or differences that are not finite.
    """

    differences: np.ndarray
    ratio: float
    repeat: np.ndarray | None = None
    grouped: bool = False

    def __post_init__(self) -> None:
        x = np.asarray(self.differences, dtype=float).ravel()
        if len(x) < 2 or not np.isfinite(x).all():
            raise ValueError(f"need at least 2 finite differences, got {x}")
        object.__setattr__(self, "differences", x)

    @cached_property
    def location(self) -> tuple[float, float, int]:
        """Mean m, its standard error, and the degrees of freedom.

        Nadeau and Bengio: error^2 = s^2 (1/J + ratio), df = J - 1. Repeated folds of
        the same images:

        - error^2 = s^2 (1/J + ratio) + v, v the variance (n - 1) of the repeats' means.
          The ratio stands for the images that runs share and leaves out how much a
          trained method varies with its training images; a new division shows a part of
          that. Without v the test errs more often the more repeats there are
          (docs/benchmarks.md, calibration, R4 and S1).
        - of images that come in groups: J is the number of folds of one repeat, for the
          repeats divide the same few groups again. They steady the mean and are not
          counted (same place, G2).

        Repeats of a single run each (repeated hold-out) are runs like any others. Zero
        error where all differences are equal: rounding alone is not variance.
        """
        x = self.differences
        deviation = x.std(ddof=1)
        if deviation <= 1e-12 * np.abs(x).max():
            return float(x.mean()), 0.0, len(x) - 1
        n, between = len(x), 0.0
        if self.repeated and self.grouped:
            n = int(self._repeats[1].max())
        elif self.repeated:
            between = self._repeats[0].var(ddof=1)
        error = np.sqrt(deviation**2 * (1 / n + self.ratio) + between)
        return float(x.mean()), float(error), n - 1

    @property
    def repeated(self) -> bool:
        """Whether there are several repeats, one at least with several runs."""
        _, runs = self._repeats
        return len(runs) > 1 and bool(runs.max() > 1)

    @cached_property
    def _repeats(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and number of runs of each repeat; one without `repeat`."""
        labels = np.zeros(len(self.differences)) if self.repeat is None else self.repeat
        _, which, runs = np.unique(labels, return_inverse=True, return_counts=True)
        return np.bincount(which, self.differences) / runs, runs


def corrected_t(runs: Runs, confidence: float = 0.95) -> Result:
    """Nadeau-Bengio corrected t test of a mean difference over runs, with its interval.

    t = m / error, with error and degrees of freedom of `Runs.location`. Where all
    differences are equal, nothing tells how far they might vary: there is no interval,
    and statistic and p are NaN.

    Nadeau & Bengio (2003), Machine Learning 52:239, section 4; for repeated folds
    Bouckaert & Frank (2004), to whose error the variance between repeats is added.
    """
    mean, error, df = runs.location
    n = len(runs.differences)
    if error == 0:
        return Result(n, mean, df=df)
    half = stats.t.ppf((1 + confidence) / 2, df) * error
    statistic = mean / error
    p = float(2 * stats.t.sf(abs(statistic), df))
    return Result(n, mean, mean - half, mean + half, statistic, df, p)


def paired_t(differences: np.ndarray, confidence: float = 0.95) -> Result:
    """Naive paired t test, which takes the folds for independent samples.

    As `corrected_t` with ratio 0. Anti-conservative: never a verdict.
    """
    return corrected_t(Runs(differences, 0.0), confidence)


def correlated_chances(runs: Runs, band: float) -> Chances:
    """Posterior chances of a difference above, within and below +-band.

    The posterior is a Student t with mean, error and degrees of freedom of
    `Runs.location`, so that its tails equal the one-sided p of `corrected_t`. NaN where
    all differences are equal.

    Corani & Benavoli (2015), Machine Learning 100:285; Benavoli et al. (2017).
    """
    mean, error, df = runs.location
    if error == 0:
        return Chances(nan, nan, nan)
    posterior = stats.t(df, mean, error)
    above, below = float(posterior.sf(band)), float(posterior.cdf(-band))
    # Rounding may leave less than nothing between two tails that add up to one.
    return Chances(above, max(0.0, 1 - above - below), below)


def equivalence_p(runs: Runs, band: float) -> float:
    """Two one-sided tests, their p: small where the difference lies within +-band.

    Below 0.05 exactly where the 90 % interval of `corrected_t` lies inside the band; NaN
    where all differences are equal.
    """
    chances = correlated_chances(runs, band)
    return max(chances.above, chances.below)


def detectable_by_folds(runs: Runs, alpha: float = 0.05, power: float = 0.8) -> float:
    """Smallest mean difference that `corrected_t` would find `power` of the time.

    (t_{1 - alpha/2} + t_{power}) standard errors: the usual approximation to the
    noncentral t. NaN where all differences are equal.
    """
    _, error, df = runs.location
    errors = stats.t.ppf(1 - alpha / 2, df) + stats.t.ppf(power, df)
    return float(errors * error) if error else nan


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
