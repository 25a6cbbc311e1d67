"""Student's t of an estimate with a standard error: test, interval, chances, power.

Every test whose interval, p and chances must agree goes through here, whatever its
standard error was computed from.
"""

from dataclasses import dataclass
from math import nan

from scipy import stats

from bakeoff.stats.result import Chances, Result


@dataclass(frozen=True)
class Estimate:
    """A difference, its standard error and the error's degrees of freedom.

    units: how many images, groups or runs it rests on. error is 0 or NaN where nothing
    tells how far the difference might vary; it then has no test.
    """

    value: float
    error: float
    df: float
    units: int

    @property
    def varies(self) -> bool:
        """Whether there is an error to judge the difference by."""
        return bool(self.error > 0)


def t_test(e: Estimate, confidence: float = 0.95) -> Result:
    """Two-sided t test of a zero difference, and the interval that it inverts.

    Zero lies outside the interval exactly where p < 1 - confidence. Statistic, p and
    interval are NaN without an error.
    """
    if not e.varies:
        return Result(e.units, e.value, df=e.df)
    half = float(stats.t.ppf((1 + confidence) / 2, e.df)) * e.error
    statistic = e.value / e.error
    p = float(2 * stats.t.sf(abs(statistic), e.df))
    return Result(e.units, e.value, e.value - half, e.value + half, statistic, e.df, p)


def chances(e: Estimate, band: float) -> Chances:
    """Posterior chances of a difference above, within and below +-band.

    The posterior is a Student t with the estimate's value, error and degrees of freedom,
    so that its tails beyond zero equal the one-sided p of `t_test`. With the error of
    Nadeau and Bengio this is the correlated t test of Corani & Benavoli (2015), Machine
    Learning 100:285; comparisons put their own errors in its place. NaN without an error.
    """
    if not e.varies:
        return Chances(nan, nan, nan)
    posterior = stats.t(e.df, e.value, e.error)
    above, below = float(posterior.sf(band)), float(posterior.cdf(-band))
    # Rounding may leave less than nothing between two tails that add up to one.
    return Chances(above, max(0.0, 1 - above - below), below)


def equivalence_p(e: Estimate, band: float) -> float:
    """P of two one-sided tests: small where the difference lies within +-band.

    Below 0.05 exactly where the 90 % interval of `t_test` lies inside the band; NaN
    without an error.
    """
    c = chances(e, band)
    return max(c.above, c.below)


def detectable(e: Estimate, alpha: float = 0.05, power: float = 0.8) -> float:
    """Smallest true difference that `t_test` would find `power` of the time.

    (t_{1 - alpha/2} + t_{power}) standard errors: the usual approximation to the
    noncentral t. NaN without an error.
    """
    if not e.varies:
        return nan
    return float(
        (stats.t.ppf(1 - alpha / 2, e.df) + stats.t.ppf(power, e.df)) * e.error
    )
