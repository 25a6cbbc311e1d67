"""Equivalence by two one-sided tests, from any test's interval."""

from math import isfinite, nan

from scipy import stats

from bakeoff.stats.result import Result


def tost_p(result: Result, band: float, confidence: float = 0.95) -> float:
    """P of two one-sided tests: small where the difference lies within +-band.

    It is at most (1 - confidence) / 2 exactly where the whole interval lies within the
    band. Each arm of the interval is taken for a quantile of Student's t (of the normal
    distribution where the result has no degrees of freedom), which is exact for t
    tests and keeps other intervals as lopsided as they are. Where an end of the
    interval is the estimate itself, that side shows (1 - confidence) / 2 and no less.
    NaN without an interval. Schuirmann (1987), J Pharmacokinet Biopharm 15:657.
    """
    if not (isfinite(result.low) and isfinite(result.high)):
        return nan
    posterior = stats.t(result.df) if isfinite(result.df) else stats.norm()
    reach = float(posterior.ppf((1 + confidence) / 2))
    sides = (
        (band - result.estimate, result.high - result.estimate),
        (band + result.estimate, result.estimate - result.low),
    )
    return max(
        float(posterior.sf(reach * room / arm))
        if arm > 0
        else ((1 - confidence) / 2 if room >= arm else 1.0)
        for room, arm in sides
    )
