"""What a published table of per-class results allows, by arithmetic alone.

Steps: read the table; find the counts that round to each printed share (GRIM); derive
accuracy and macro recall from the counts and compare them with those stated; where two
models share their classes and supports, bound every paired test that the margins allow.

Symbols of a class: n images, k of them right; of two models, at least
max(0, k_a + k_b - n) and at most min(k_a, k_b) images are right with both.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import ceil, floor, isfinite
from pathlib import Path

import numpy as np
from scipy import stats

from bakeoff.errors import BakeoffError
from bakeoff.stats.multiplicity import holm
from bakeoff.stats.proportions import mcnemar_midp

SUMMARIES = ("accuracy", "macro_recall", "macro_precision", "macro_f1")
_COLUMNS = ("class", "support", "recall")


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


@dataclass(frozen=True)
class AuditReport:
    """What `audit` found; `text()` says it in words."""

    models: tuple[ModelAudit, ...]
    pairs: tuple[PairAudit, ...]

    @property
    def contradictions(self) -> list[str]:
        """All contradictions, the model's name first."""
        return [f"{m.model}: {c}" for m in self.models for c in m.contradictions]

    def text(self) -> str:
        """The report as plain text, one paragraph per model and per pair."""
        parts = [_model_text(m) for m in self.models]
        return "\n\n".join(parts + [_pair_text(p) for p in self.pairs]) + "\n"


def audit(table: str | Path) -> AuditReport:
    """What is arithmetically possible in a published table.

    table: CSV with columns class, support, recall and, for several models, model. A row
    without a support states a summary: its class is one of accuracy, macro_recall,
    macro_precision, macro_f1 and its recall the stated value. Shares are between 0 and
    1 and are taken to be rounded, half-way either way, to as many digits as the longest
    printed share of the model. Raises BakeoffError that lists every bad row.
    """
    models = _read(Path(table))
    audited = tuple(_audit_model(name, rows) for name, rows in models.items())
    pairs = [
        _audit_pair(a, b)
        for a, b in combinations(audited, 2)
        if _supports(a) == _supports(b)
    ]
    return AuditReport(audited, tuple(pairs))


def counts_behind(share: Fraction, n: int, digits: int) -> tuple[int, int]:
    """(smallest, largest) k with k / n rounding to `share`; smallest > largest if none.

    The GRIM test of Brown & Heathers (2017), for shares of n.
    """
    half = Fraction(1, 2 * 10**digits)
    return max(0, ceil((share - half) * n)), min(n, floor((share + half) * n))


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


def _audit_model(name: str, rows: Sequence[Mapping[str, str]]) -> ModelAudit:
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
        f"recall {_share(c.recall, digits)} of {c.name} is no count of {c.support}"
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
                f"stated {metric} {_share(value, digits)}, but the classes imply "
                f"{_range(low, high, digits + 1)}"
            )
    equal = len({c.support for c in counts}) == 1
    first, second = (stated.get(m, Fraction(0)) for m in ("accuracy", "macro_recall"))
    comparable = equal and {"accuracy", "macro_recall"} <= set(stated)
    if comparable and abs(first - second) > 2 * half:
        found.append(
            f"stated accuracy {_share(first, digits)} and macro recall "
            f"{_share(second, digits)} differ, but equal supports make them equal"
        )
    return found


def _audit_pair(a: ModelAudit, b: ModelAudit) -> PairAudit:
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


def _model_text(m: ModelAudit) -> str:
    images = sum(c.support for c in m.counts)
    unique = sum(c.low == c.high for c in m.counts)
    lines = [
        f"{m.model}: {len(m.counts)} classes, {images} images",
        f"  recalls that fix their count: {unique} of {len(m.counts)}",
        f"  accuracy implied by the classes: {_range(*m.accuracy, m.digits + 1)}",
        f"  macro recall implied: {_range(*m.macro_recall, m.digits + 1)}",
    ]
    lines += [
        f"  stated {metric}: {_share(value, m.digits)}"
        for metric, value in m.stated.items()
    ]
    found = [f"  CONTRADICTION: {text}" for text in m.contradictions]
    return "\n".join(lines + (found or ["  no contradiction found"]))


def _pair_text(p: PairAudit) -> str:
    o = p.overall
    difference = 100 * (o.right_a - o.right_b) / o.n
    lines = [
        f"{p.a} against {p.b}, by the counts nearest to the printed recalls",
        f"  {o.right_a} against {o.right_b} of {o.n} right: {difference:+.1f} points",
        f"  unpaired z test: p = {o.unpaired:.4f} (not the test of two models on the "
        "same images)",
        f"  McNemar mid-p, which the table does not fix: {_between(o.paired)}; "
        f"{_settled(o.paired)}",
        "  by class, Holm-adjusted over the classes:",
    ]
    for bounds, unpaired, paired in zip(
        p.classes, p.holm_unpaired, p.holm_paired.tolist(), strict=True
    ):
        lines.append(
            f"    {bounds.name}: {bounds.right_a} against {bounds.right_b} of "
            f"{bounds.n}, unpaired p = {unpaired:.3g}, paired {_between(paired)}"
        )
    return "\n".join(lines)


def _settled(paired: tuple[float, float]) -> str:
    if paired[1] <= 0.05:
        return "significant at 5 % whatever the joint table"
    if paired[0] > 0.05:
        return "not significant at 5 % whatever the joint table"
    return "only the predictions themselves can tell"


def _between(ends: Sequence[float]) -> str:
    return f"p from {ends[0]:.3g} to {ends[1]:.3g}"


def _top(c: Count) -> Fraction:
    return Fraction(c.ends[1], c.support)


def _share(value: Fraction, digits: int) -> str:
    return f"{float(value):.{digits}f}"


def _range(low: Fraction, high: Fraction, digits: int) -> str:
    ends = _share(low, digits), _share(high, digits)
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _supports(m: ModelAudit) -> dict[str, int]:
    return {c.name: c.support for c in m.counts}


def _read(path: Path) -> dict[str, list[dict[str, str]]]:
    """Rows by model, in the order of the file; BakeoffError with every bad row."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            header = [name.strip() for name in reader.fieldnames or []]
            reader.fieldnames = header
            rows = [{k: (row.get(k) or "").strip() for k in header} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _bad(path, str(error)) from error
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        raise _bad(path, f"columns {header}, without {missing}")
    problems = [
        f"line {line}: {problem}"
        for line, row in enumerate(rows, start=2)
        for problem in _problems(row)
    ]
    models: dict[str, list[dict[str, str]]] = {}
    for line, row in enumerate(rows, start=2):
        own = models.setdefault(row.get("model") or "the model", [])
        if row["class"] in {other["class"] for other in own}:
            problems.append(f"line {line}: {row['class']!r} twice")
        own.append(row)
    empty = [m for m, own in models.items() if not any(r["support"] for r in own)]
    problems += [f"no classes for {model}" for model in empty]
    if problems or not models:
        raise _bad(path, "; ".join(problems) or "no rows")
    return models


def _problems(row: Mapping[str, str]) -> list[str]:
    found = []
    support, share = row["support"], _number(row["recall"])
    if support and not (support.isdigit() and int(support) > 0):
        found.append(f"support {support!r} is no positive whole number")
    if not support and row["class"] not in SUMMARIES:
        found.append(f"{row['class']!r} has no support and is none of {SUMMARIES}")
    if share is None or not 0 <= share <= 1:
        found.append(f"recall {row['recall']!r} is no share between 0 and 1")
    return found


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    # Only plain decimals say to how many digits they were rounded.
    return value if isfinite(value) and set(text) <= set("0123456789.") else None


def _bad(path: Path, received: str) -> BakeoffError:
    return BakeoffError(
        str(path),
        received,
        "a CSV file with the columns class, support, recall and perhaps model; summary "
        f"rows have no support and one of {', '.join(SUMMARIES)} as class",
        "Mend these rows; shares are written as in print, such as .857.",
    )
