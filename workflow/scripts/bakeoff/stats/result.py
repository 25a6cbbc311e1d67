"""What every test hands back."""

from dataclasses import dataclass
from math import nan


@dataclass(frozen=True)
class Result:
    """One test of a difference "a minus b"; NaN marks what a test does not give.

    n counts what the test counts (folds, images, groups); low and high are the ends of
    the interval, in the unit of estimate; p is two-sided.
    """

    n: int
    estimate: float = nan
    low: float = nan
    high: float = nan
    statistic: float = nan
    df: float = nan
    p: float = nan


@dataclass(frozen=True)
class Chances:
    """Probabilities of a difference above, inside and below a band round zero."""

    above: float
    inside: float
    below: float
