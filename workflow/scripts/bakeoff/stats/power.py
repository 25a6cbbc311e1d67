"""How small a difference n images can show, and how many a difference needs.

All before any adjustment for the number of comparisons and, where not said otherwise,
for McNemar's test of paired shares. disagreement is the share of images that exactly
one of two encoders has right, (b + c) / n. Connor (1987), Biometrics 43:207:

    sqrt(n) d = z_{1 - alpha/2} sqrt(disagreement) + z_{power} sqrt(disagreement - d^2)
"""

from math import ceil, inf, nan, sqrt

from scipy import optimize, stats

from bakeoff.errors import BakeoffError


def images_needed(
    difference: float, disagreement: float, *, alpha: float = 0.05, power: float = 0.8
) -> int:
    """Images that show `difference` (a share, not points) `power` of the time.

    Raises BakeoffError where a share is out of range or the difference exceeds the
    disagreement, which arithmetic forbids: |b - c| <= b + c.
    """
    d = abs(difference)
    if not 0 < d <= disagreement <= 1:
        raise BakeoffError(
            "power",
            f"a difference of {difference} with a disagreement of {disagreement}",
            "0 < difference <= disagreement <= 1, both as shares of images",
            "Take the disagreement from a pilot run: the images that exactly one of "
            "the two encoders has right, divided by all images.",
        )
    root = _margin(d, disagreement, alpha, power) / d
    return ceil(root**2 - 1e-9)


def detectable_difference(
    n: int, disagreement: float, *, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Smallest difference (a share) that n images show `power` of the time.

    NaN where even the largest that this disagreement allows stays below that power.
    """

    def lacking(d: float) -> float:
        return sqrt(n) * d - _margin(d, disagreement, alpha, power)

    if n < 1 or disagreement <= 0 or lacking(disagreement) < 0:
        return nan
    return float(optimize.brentq(lacking, 0.0, disagreement, xtol=1e-12))


def least_p_of_flips(units: int) -> float:
    """The smallest two-sided p of a sign-flip test, whatever the difference.

    Of 2^units ways to flip, the observed one and its mirror image are at least as
    extreme as themselves.
    """
    return 2.0 ** (1 - units)


def from_pilot(b: int, c: int, n: int, *, alpha: float = 0.05) -> tuple[float, float]:
    """(smallest difference that n images show, images that settle b against c).

    b and c: images that only the first, only the second encoder has right. Infinite
    images where b = c: the pilot shows no difference to look for.
    """
    disagreement = (b + c) / n
    smallest = detectable_difference(n, disagreement, alpha=alpha)
    if b == c:
        return smallest, inf
    return smallest, float(images_needed((b - c) / n, disagreement, alpha=alpha))


def images_by_scaling(images: int, detectable: float, difference: float) -> int:
    """Images needed for `difference`, where `images` could show `detectable`.

    For any metric: standard errors shrink as one over the root of the images.
    """
    return ceil(images * (detectable / abs(difference)) ** 2 - 1e-9)


def _margin(d: float, disagreement: float, alpha: float, power: float) -> float:
    z_alpha, z_power = stats.norm.ppf(1 - alpha / 2), stats.norm.ppf(power)
    spread = sqrt(max(0.0, disagreement - d * d))
    return float(z_alpha * sqrt(disagreement) + z_power * spread)
