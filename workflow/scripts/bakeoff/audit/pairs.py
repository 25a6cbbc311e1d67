"""Two models of a published table: tests of which only the margins are known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from bakeoff.audit.models import ModelAudit
from bakeoff.stats.multiplicity import holm
from bakeoff.stats.proportions import mcnemar_midp


@dataclass(frozen=True)
class Bounds:
    """Tests of two models on the same images, known only by their margins.

    n images, right_a and right_b of them; unpaired: p as if the images were different;
    paired: smallest and largest McNemar mid-p of all joint tables.
    """

    name: str
    n: int
    right_a: int
    right_b: int
    unpaired: float
    paired: tuple[float, float]


@dataclass(frozen=True)
class PairAudit:
    """Two models: all images together, class by class, and Holm over the classes.

    holm_unpaired: (K,); holm_paired: (K, 2), of all smallest and all largest p.
    """

    a: str
    b: str
    overall: Bounds
    classes: tuple[Bounds, ...]
    holm_unpaired: np.ndarray
    holm_paired: np.ndarray


def paired_bounds(
    right_a: Sequence[int], right_b: Sequence[int], n: Sequence[int]
) -> tuple[float, float]:
    """Smallest and largest McNemar mid-p of all joint tables with these margins.

    One entry per class. b - c is fixed by the margins; c runs over every whole number
    from its smallest sum (most images right with both) to its largest.
    """
    a, b, size = (np.asarray(x, dtype=int) for x in (right_a, right_b, n))
    fewest = int((b - np.minimum(a, b)).sum())
    most = int((b - np.maximum(0, a + b - size)).sum())
    gap = int(a.sum() - b.sum())
    p = [mcnemar_midp(c + gap, c) for c in range(fewest, most + 1)]
    return min(p), max(p)


def unpaired_p(right_a: int, right_b: int, n: int) -> float:
    """P of the two-proportion z test, as if each model had its own n images.

    1 where both have all or none right.
    """
    table = [[right_a, n - right_a], [right_b, n - right_b]]
    if 0 in np.sum(table, axis=0):
        return 1.0
    return float(stats.chi2_contingency(table, correction=False).pvalue)


def audit_pair(a: ModelAudit, b: ModelAudit) -> PairAudit:
    """What the margins of two models of the same classes and supports allow."""
    other = {c.name: c.nearest for c in b.counts}
    right_a = [c.nearest for c in a.counts]
    right_b = [other[c.name] for c in a.counts]
    sizes = [c.support for c in a.counts]
    classes = tuple(
        Bounds(c.name, n, x, y, unpaired_p(x, y, n), paired_bounds([x], [y], [n]))
        for c, x, y, n in zip(a.counts, right_a, right_b, sizes, strict=True)
    )
    n, x, y = sum(sizes), sum(right_a), sum(right_b)
    everything = paired_bounds(right_a, right_b, sizes)
    return PairAudit(
        a.model,
        b.model,
        Bounds("all classes", n, x, y, unpaired_p(x, y, n), everything),
        classes,
        holm(np.array([c.unpaired for c in classes])),
        np.stack(
            [holm(np.array([c.paired[end] for c in classes])) for end in (0, 1)], axis=1
        ),
    )
