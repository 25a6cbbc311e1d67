"""One model of a published table: its counts, what they imply, what they contradict."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor


@dataclass(frozen=True)
class Count:
    """A class: its images, its printed recall, and the counts that round to it.

    low > high where no count does; nearest is then the count closest to the print.
    """

    name: str
    support: int
    recall: Fraction
    low: int
    high: int

    @property
    def possible(self) -> bool:
        """Whether some count of images gives the printed recall."""
        return self.low <= self.high

    @property
    def nearest(self) -> int:
        """The count closest to the printed recall."""
        return round(self.recall * self.support)

    @property
    def ends(self) -> tuple[int, int]:
        """Smallest and largest count; twice the nearest where none fits."""
        return (self.low, self.high) if self.possible else (self.nearest, self.nearest)


@dataclass(frozen=True)
class ModelAudit:
    """One model: counts by class, implied ranges, stated values, contradictions."""

    model: str
    counts: tuple[Count, ...]
    accuracy: tuple[Fraction, Fraction]
    macro_recall: tuple[Fraction, Fraction]
    stated: Mapping[str, Fraction]
    digits: int
    contradictions: tuple[str, ...]


def counts_behind(share: Fraction, n: int, digits: int) -> tuple[int, int]:
    """(smallest, largest) k with k / n rounding to `share`; smallest > largest if none.

    The GRIM test of Brown & Heathers (2017), for shares of n.
    """
    half = Fraction(1, 2 * 10**digits)
    return max(0, ceil((share - half) * n)), min(n, floor((share + half) * n))


def audit_model(name: str, rows: Sequence[Mapping[str, str]]) -> ModelAudit:
    """What the printed rows of one model allow."""
    digits = max(len(row["recall"].partition(".")[2]) for row in rows)
    stated = {
        row["class"]: Fraction(row["recall"]) for row in rows if not row["support"]
    }
    counts = tuple(
        Count(row["class"], n, share, *counts_behind(share, n, digits))
        for row in rows
        if row["support"]
        for n, share in [(int(row["support"]), Fraction(row["recall"]))]
    )
    images = sum(c.support for c in counts)
    accuracy = _weighted(counts, lambda c: Fraction(1, images))
    macro = _weighted(counts, lambda c: Fraction(1, c.support * len(counts)))
    found = _contradictions(counts, accuracy, macro, stated, digits)
    return ModelAudit(name, counts, accuracy, macro, stated, digits, tuple(found))


def _weighted(
    counts: Sequence[Count], weight: Callable[[Count], Fraction]
) -> tuple[Fraction, Fraction]:
    """Smallest and largest weighted sum of the counts that the prints allow."""
    low = sum((weight(c) * c.ends[0] for c in counts), Fraction(0))
    high = sum((weight(c) * c.ends[1] for c in counts), Fraction(0))
    return low, high


def _contradictions(
    counts: Sequence[Count],
    accuracy: tuple[Fraction, ...],
    macro: tuple[Fraction, ...],
    stated: Mapping[str, Fraction],
    digits: int,
) -> list[str]:
    half = Fraction(1, 2 * 10**digits)
    found = [
        f"recall {share_text(c.recall, digits)} of {c.name} is no count of {c.support}"
        for c in counts
        if not c.possible
    ]
    # F1 is largest, 2 r / (1 + r), where every image given to a class belongs to it.
    best_f1 = sum((2 * r / (1 + r) for c in counts for r in [_top(c)]), Fraction(0))
    for metric, (low, high) in {
        "accuracy": accuracy,
        "macro_recall": macro,
        "macro_f1": (Fraction(0), best_f1 / len(counts)),
    }.items():
        value = stated.get(metric)
        if value is not None and not low - half <= value <= high + half:
            found.append(
                f"stated {metric} {share_text(value, digits)}, but the classes imply "
                f"{range_text(low, high, digits + 1)}"
            )
    equal = len({c.support for c in counts}) == 1
    first, second = (stated.get(m, Fraction(0)) for m in ("accuracy", "macro_recall"))
    comparable = equal and {"accuracy", "macro_recall"} <= set(stated)
    if comparable and abs(first - second) > 2 * half:
        found.append(
            f"stated accuracy {share_text(first, digits)} and macro recall "
            f"{share_text(second, digits)} differ, but equal supports make them equal"
        )
    return found


def _top(c: Count) -> Fraction:
    return Fraction(c.ends[1], c.support)


def share_text(value: Fraction, digits: int) -> str:
    """A share as it would be printed."""
    return f"{float(value):.{digits}f}"


def range_text(low: Fraction, high: Fraction, digits: int) -> str:
    """Both ends of a range, or one where they print alike."""
    ends = share_text(low, digits), share_text(high, digits)
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
