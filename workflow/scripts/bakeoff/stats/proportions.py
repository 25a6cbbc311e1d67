"""Paired proportions: two classifiers, right or wrong, on the same images.

b images are right with the first only, c with the second only, both with both and
neither with none; n is their sum and the difference is (b - c) / n.
"""

import numpy as np
from scipy import optimize, stats

from bakeoff.stats.over_runs import variance_of_mean
from bakeoff.stats.result import Result
from bakeoff.stats.shares import Interval, wilson
from bakeoff.stats.student import Estimate


def mcnemar_exact(b: int, c: int) -> float:
    """Exact two-sided McNemar p: a binomial test of b against c; 1 where b + c = 0."""
    return float(stats.binomtest(b, b + c, 0.5).pvalue) if b + c else 1.0


def mcnemar_midp(b: int, c: int) -> float:
    """McNemar mid-p: the exact p less the probability of the table observed.

    1 where b + c = 0. Fagerland, Lydersen & Laake (2013), BMC Med Res Methodol 13:91,
    found its size close to, and never above, the nominal level.
    """
    if b + c == 0:
        return 1.0
    point = float(stats.binom.pmf(b, b + c, 0.5))
    if b == c:
        return 1.0 - point / 2
    tail = float(stats.binom.cdf(min(b, c), b + c, 0.5))
    return 2 * tail - point


def newcombe(
    b: int, c: int, both: int, neither: int, confidence: float = 0.95
) -> Interval:
    """Square-and-add interval of a paired difference, from two Wilson intervals.

    Newcombe (1998), Stat Med 17:2635, method 10: phi corrects for the correlation, is
    drawn towards 0 by n / 2 where positive, and is 0 where a margin is empty.
    """
    n = b + c + both + neither
    first, second = both + b, both + c
    p1, p2 = first / n, second / n
    (l1, u1), (l2, u2) = wilson(first, n, confidence), wilson(second, n, confidence)
    margins = float(first) * (n - first) * second * (n - second)
    product = float(both * neither - b * c)
    if product > 0:
        product = max(product - n / 2, 0.0)
    phi = product / np.sqrt(margins) if margins else 0.0

    def reach(d1: float, d2: float) -> float:
        return float(np.sqrt(max(0.0, d1**2 + d2**2 - 2 * phi * d1 * d2)))

    low = p1 - p2 - reach(p1 - l1, u2 - p2)
    return low, p1 - p2 + reach(u1 - p1, p2 - l2)


def bonett_price(b: int, c: int, n: int, confidence: float = 0.95) -> Interval:
    """Wald interval after one image is added to each discordant cell.

    Bonett & Price (2012), J Educ Behav Stat 37:479; cut at -1 and 1.
    """
    p, q = (b + 1) / (n + 2), (c + 1) / (n + 2)
    z = stats.norm.ppf((1 + confidence) / 2)
    half = z * np.sqrt((p + q - (p - q) ** 2) / (n + 2))
    return max(-1.0, float(p - q - half)), min(1.0, float(p - q + half))


def tango(b: int, c: int, n: int, confidence: float = 0.95) -> Interval:
    """Score interval of a paired difference: all d that a score test does not reject.

    z(d) = (b - c - n d) / sqrt(n (2 q + d (1 - d))), where q estimates the share of
    images that only the second has right, given d: the larger root of
    2 n q^2 + (-b - c + (2 n - b + c) d) q - c d (1 - d) = 0. z falls as d grows.
    Tango (1998), Stat Med 17:891.
    """
    z = float(stats.norm.ppf((1 + confidence) / 2))

    def score(d: float) -> float:
        linear = -b - c + (2 * n - b + c) * d
        root = np.sqrt(max(0.0, linear**2 + 8 * n * c * d * (1 - d)))
        variance = n * ((root - linear) / (2 * n) + d * (1 - d))
        gap = b - c - n * d
        if abs(gap) < 1e-12:
            return 0.0
        return gap / np.sqrt(variance) if variance > 1e-12 else np.sign(gap) * np.inf

    estimate = (b - c) / n

    def crossing(level: float, end: float) -> float:
        if abs(score(end)) <= z:
            return end
        # inf is no number to bisect with; any value beyond z has the right sign.
        cut = 10 * z
        return float(
            optimize.brentq(
                lambda d: np.clip(score(d), -cut, cut) - level,
                estimate,
                end,
                xtol=1e-12,
            )
        )

    low = -1.0 if estimate == -1 else crossing(z, -1.0)
    return low, 1.0 if estimate == 1 else crossing(-z, 1.0)


def paired_shares(b: int, c: int, n: int, confidence: float = 0.95) -> Result:
    """McNemar's mid-p and Tango's interval as one test: they agree about zero.

    Any difference but zero is tested by Tango's score test; zero has to be rejected by
    that and by the mid-p. So the interval is continued to zero where the mid-p does not
    reject it, and p is the score test's where only that one does not. The two differ with
    few discordant images, where the score test alone rejects too often. statistic: b - c.
    """
    low, high = tango(b, c, n, confidence)
    p = mcnemar_midp(b, c)
    if low <= 0 <= high and b + c:
        p = max(p, float(2 * stats.norm.sf(abs(b - c) / np.sqrt(b + c))))
    if p > 1 - confidence:
        low, high = min(low, 0.0), max(high, 0.0)
    return Result(n, (b - c) / n, low, high, b - c, p=p)


def clustered_difference(differences: np.ndarray, groups: np.ndarray) -> Estimate:
    """Cluster-robust estimate of a mean paired difference, images in groups.

    differences: (n,), right with the first minus right with the second, or any paired
    difference of per-image terms; groups: (n,) labels. The estimate is the mean over
    images; its standard error takes whole groups as independent (ratio estimator), with
    groups - 1 degrees of freedom. NaN error for fewer than two groups. With one image per
    group this is the one-sample t test.
    """
    x = np.asarray(differences, dtype=float)
    names, code = np.unique(np.asarray(groups), return_inverse=True)
    error = float(np.sqrt(variance_of_mean(x, code)))
    return Estimate(float(x.mean()), error, len(names) - 1.0, len(names))
