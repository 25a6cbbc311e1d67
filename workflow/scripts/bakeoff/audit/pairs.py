"""Two models of a published table: tests of which only the margins are known.

A printed recall may stand for several counts of right images, so every test is given
as the smallest and the largest p of all counts, and of all joint tables, that the prints
allow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np

from bakeoff.audit.models import ModelAudit
from bakeoff.stats.multiplicity import holm
from bakeoff.stats.proportions import mcnemar_midp

Ends = tuple[int, int]  # smallest and largest count
Between = tuple[float, float]  # smallest and largest p


@dataclass(frozen=True)
class Bounds:
    """Tests of two models on the same n images, known only by their margins.

    right_a and right_b: images that each has right; unpaired: p as if the images were
    different; paired: McNemar mid-p over all joint tables.
    """

    name: str
    n: int
    right_a: Ends
    right_b: Ends
    unpaired: Between
    paired: Between


@dataclass(frozen=True)
class PairAudit:
    """Two models: all images together, class by class, and Holm over the classes.

    holm_unpaired and holm_paired: (K, 2), of all smallest and all largest p.
    """

    a: str
    b: str
    overall: Bounds
    classes: tuple[Bounds, ...]
    holm_unpaired: np.ndarray
    holm_paired: np.ndarray


def audit_pair(a: ModelAudit, b: ModelAudit) -> PairAudit:
    """What the margins of two models of the same classes and supports allow."""
    other = {c.name: c.ends for c in b.counts}
    names = [c.name for c in a.counts]
    right_a, right_b = [c.ends for c in a.counts], [other[name] for name in names]
    sizes = [c.support for c in a.counts]
    classes = tuple(
        _bounds(name, [x], [y], [n])
        for name, x, y, n in zip(names, right_a, right_b, sizes, strict=True)
    )
    return PairAudit(
        a.model,
        b.model,
        _bounds("all classes", right_a, right_b, sizes),
        classes,
        _holm([c.unpaired for c in classes]),
        _holm([c.paired for c in classes]),
    )


def what_differs(a: ModelAudit, b: ModelAudit) -> str:
    """Why two models cannot be compared: classes or supports; empty if they can."""
    one, two = ({c.name: c.support for c in m.counts} for m in (a, b))
    parts = [
        f"{name}: {one.get(name, 'no')} and {two.get(name, 'no')} images"
        for name in {**one, **two}
        if one.get(name) != two.get(name)
    ]
    return "; ".join(parts)


def paired_bounds(
    right_a: Sequence[Ends], right_b: Sequence[Ends], n: Sequence[int]
) -> Between:
    """Smallest and largest McNemar mid-p of all counts and joint tables that fit.

    right_a, right_b: by class, the smallest and largest number of right images; n:
    images of each class. With b images right for the first model only and c for the
    second only, p falls in b - c and, for the same b - c >= 0, rises in c. Both extremes
    of b - c and of c meet in one table, so no search is needed. Where several counts fit
    and some are equal, the largest p is given as 1.
    """
    a, b, size = (np.asarray(x, dtype=int) for x in (right_a, right_b, n))
    ahead = _one_way(a, b, size)
    behind = _one_way(b, a, size)
    most_ahead, least_ahead = (int(x - y) for x, y in ahead)
    if least_ahead > 0:
        return _midp(ahead[0]), _midp(ahead[1])
    if most_ahead < 0:
        return _midp(behind[0]), _midp(behind[1])
    if most_ahead == least_ahead:
        return _level(ahead[0][1], ahead[1][1])
    return min(_midp(ahead[0]), _midp(behind[0])), 1.0


def unpaired_p(right_a: int, right_b: int, n: int) -> float:
    """P of the two-proportion z test, as if each model had its own n images.

    With p the share of both together, z^2 = (right_a - right_b)^2 / (2 n p (1 - p)).
    1 where both have all or none right.
    """
    share = (right_a + right_b) / (2 * n)
    if share in (0, 1):
        return 1.0
    z = abs(right_a - right_b) / sqrt(2 * n * share * (1 - share))
    return erfc(z / sqrt(2))


def unpaired_bounds(right_a: Ends, right_b: Ends, n: int) -> Between:
    """Smallest and largest p of `unpaired_p`: it falls as the two move apart."""
    ends = [
        unpaired_p(right_a[1], right_b[0], n),
        unpaired_p(right_a[0], right_b[1], n),
    ]
    overlap = right_a[0] <= right_b[1] and right_b[0] <= right_a[1]
    return min(ends), 1.0 if overlap else max(ends)


def _bounds(
    name: str, right_a: Sequence[Ends], right_b: Sequence[Ends], n: Sequence[int]
) -> Bounds:
    images, a, b = sum(n), _summed(right_a), _summed(right_b)
    paired = paired_bounds(right_a, right_b, n)
    return Bounds(name, images, a, b, unpaired_bounds(a, b, images), paired)


def _one_way(a: np.ndarray, b: np.ndarray, n: np.ndarray) -> tuple[Ends, Ends]:
    """(b, c) where the first is furthest ahead, and where it is least so.

    Furthest: most right of the first, fewest of the second, as many images as possible
    right with both; least: the reverse, with as few as possible right with both.
    """
    high, low = a[:, 1], b[:, 0]
    shared = np.minimum(high, low)
    furthest = int((high - shared).sum()), int((low - shared).sum())
    low, high = a[:, 0], b[:, 1]
    shared = np.maximum(0, low + high - n)
    return furthest, (int((low - shared).sum()), int((high - shared).sum()))


def _level(fewest: int, most: int) -> Between:
    """The same with b = c throughout: p is 1 of none, 0.75 of 1 and 1, then rises."""
    smallest = max(fewest, min(1, most))
    largest = most if fewest else 0
    return _midp((smallest, smallest)), _midp((largest, largest))


def _midp(discordant: Ends) -> float:
    return mcnemar_midp(*discordant)


def _summed(ends: Sequence[Ends]) -> Ends:
    return sum(low for low, _ in ends), sum(high for _, high in ends)


def _holm(p: Sequence[Between]) -> np.ndarray:
    return np.stack([holm(end) for end in np.array(p).T], axis=1)
