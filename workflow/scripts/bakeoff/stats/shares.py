"""Intervals of one share, a count out of n."""

import math

from scipy.special import ndtri

Interval = tuple[float, float]


def wilson(count: float, n: float, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of the share count / n; (0, 1) where n = 0.

    All shares p that a score test does not reject: with z the normal quantile,
    (count - n p)^2 <= z^2 n p (1 - p). `count` need not be whole, as a mean over
    repetitions is not. Wilson, E. B. (1927), JASA 22:209-212.
    """
    if n == 0:
        return 0.0, 1.0
    z = float(ndtri((1 + confidence) / 2))
    centre = (count + z**2 / 2) / (n + z**2)
    half = z * math.sqrt(count * (n - count) / n + z**2 / 4) / (n + z**2)
    low = 0.0 if count == 0 else max(0.0, centre - half)
    high = 1.0 if count == n else min(1.0, centre + half)
    return low, high
