"""One model of a published table: its counts, what they imply, what they contradict.

Every printed number is read with its own digits: .86 stands for anything from .855 to
.865, .8839 for anything from .88385 to .88395.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, isqrt

Range = tuple[Fraction, Fraction]


@dataclass(frozen=True)
class Printed:
    """A share as it was printed, with the digits after its decimal point."""

    value: Fraction
    digits: int

    @classmethod
    def read(cls, text: str) -> "Printed":
        """The share that `text` prints, such as `.857`."""
        return cls(Fraction(text), len(text.partition(".")[2]))

    @property
    def ends(self) -> Range:
        """Smallest and largest share that is printed so, half-way values included."""
        half = Fraction(1, 2 * 10**self.digits)
        return self.value - half, self.value + half

    def __str__(self) -> str:
        return share_text(self.value, self.digits)


@dataclass(frozen=True)
class Count:
    """A class: its images, its printed recall, and the counts that round to it.

    low > high where no count does: they are then the counts on either side.
    """

    name: str
    support: int
    recall: Printed
    low: int
    high: int

    @property
    def possible(self) -> bool:
        """Whether some count of images gives the printed recall."""
        return self.low <= self.high

    @property
    def ends(self) -> tuple[int, int]:
        """Smallest and largest count; those on either side where none fits."""
        return min(self.low, self.high), max(self.low, self.high)


@dataclass(frozen=True)
class ModelAudit:
    """One model: counts by class, implied ranges, stated values, contradictions.

    least_f1: the smallest macro precision, and macro F1, that the recalls allow.
    """

    model: str
    counts: tuple[Count, ...]
    accuracy: Range
    macro_recall: Range
    least_f1: Fraction
    stated: Mapping[str, Printed]
    contradictions: tuple[str, ...]

    @property
    def digits(self) -> int:
        """Digits of the longest printed recall."""
        return max(c.recall.digits for c in self.counts)


def counts_behind(share: Fraction, n: int, digits: int) -> tuple[int, int]:
    """(smallest, largest) k with k / n rounding to `share`; smallest > largest if none.

    The GRIM test of Brown & Heathers (2017), for shares of n.
    """
    low, high = Printed(share, digits).ends
    return max(0, ceil(low * n)), min(n, floor(high * n))


def audit_model(name: str, rows: Sequence[Mapping[str, str]]) -> ModelAudit:
    """What the printed rows of one model allow."""
    stated = {
        row["class"]: Printed.read(row["recall"]) for row in rows if not row["support"]
    }
    counts = tuple(
        Count(row["class"], n, share, *counts_behind(share.value, n, share.digits))
        for row in rows
        if row["support"]
        for n, share in [(int(row["support"]), Printed.read(row["recall"]))]
    )
    images = sum(c.support for c in counts)
    accuracy = _weighted(counts, lambda c: Fraction(1, images))
    macro = _weighted(counts, lambda c: Fraction(1, c.support * len(counts)))
    least = least_macro_f1([c.ends[0] for c in counts], images)
    found = [
        *_impossible(counts),
        *_outside(accuracy, macro, least, stated),
        *_unequal(counts, stated),
    ]
    return ModelAudit(name, counts, accuracy, macro, least, stated, tuple(found))


def least_macro_f1(right: Sequence[int], images: int) -> Fraction:
    """A lower bound on macro precision and macro F1, from the recalls alone.

    right: (K,) images of each class that are classified right, k_i; images: N, each
    given to at most one class. With m_i images given to class i and n_i of that class,
    precision is k_i / m_i and F1 is 2 k_i / (n_i + m_i). Since sum m_i <= N and
    sum (n_i + m_i) <= 2 N, Cauchy and Schwarz bound the means of both from below by

        (sum_i sqrt k_i)^2 / (K N).

    So they bound macro recall, k_i / n_i with sum n_i = N; and with it the harmonic
    mean of macro precision and macro recall, which some call macro F1. Roots are
    rounded down, so that the bound stays one.
    """
    scale = 10**12
    roots = sum(isqrt(k * scale**2) for k in right)
    return Fraction(roots**2, scale**2 * len(right) * images)


def _weighted(counts: Sequence[Count], weight: Callable[[Count], Fraction]) -> Range:
    """Smallest and largest weighted sum of the counts that the prints allow."""
    low = sum((weight(c) * c.ends[0] for c in counts), Fraction(0))
    high = sum((weight(c) * c.ends[1] for c in counts), Fraction(0))
    return low, high


def _impossible(counts: Sequence[Count]) -> list[str]:
    return [
        f"recall {c.recall} of {c.name} is no count of {c.support}"
        for c in counts
        if not c.possible
    ]


def _outside(
    accuracy: Range, macro: Range, least: Fraction, stated: Mapping[str, Printed]
) -> list[str]:
    """Stated summaries that the recalls exclude.

    Macro F1 is largest where every precision is 1: the mean of 2 r / (1 + r) or, as a
    harmonic mean of macro precision and recall R, 2 R / (1 + R), which is no smaller.
    """
    best_f1 = 2 * macro[1] / (1 + macro[1])
    ranges = {
        "accuracy": accuracy,
        "macro_recall": macro,
        "macro_precision": (least, Fraction(1)),
        "macro_f1": (least, best_f1),
    }
    found = []
    for metric, (low, high) in ranges.items():
        if metric not in stated:
            continue
        smallest, largest = stated[metric].ends
        if largest < low or high < smallest:
            implied = range_text(low, high, stated[metric].digits + 2)
            found.append(
                f"stated {metric} {stated[metric]}, but the classes imply {implied}"
            )
    return found


def _unequal(counts: Sequence[Count], stated: Mapping[str, Printed]) -> list[str]:
    """Equal supports make accuracy and macro recall the same number."""
    equal = len({c.support for c in counts}) == 1
    if not equal or not {"accuracy", "macro_recall"} <= set(stated):
        return []
    first, second = stated["accuracy"], stated["macro_recall"]
    if first.ends[0] <= second.ends[1] and second.ends[0] <= first.ends[1]:
        return []
    return [
        f"stated accuracy {first} and macro recall {second} differ, but equal supports "
        "make them equal"
    ]


def share_text(value: Fraction, digits: int) -> str:
    """A share as it would be printed."""
    return f"{float(value):.{digits}f}"


def range_text(low: Fraction, high: Fraction, digits: int) -> str:
    """Both ends of a range, or one where they print alike."""
    ends = share_text(low, digits), share_text(high, digits)
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
