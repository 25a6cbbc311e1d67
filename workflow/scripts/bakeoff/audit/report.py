"""The audit of a published table, and its text."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from bakeoff.audit.models import ModelAudit, audit_model, range_text, share_text
from bakeoff.audit.pairs import (
    Between,
    Bounds,
    Ends,
    PairAudit,
    audit_pair,
    what_differs,
)
from bakeoff.audit.table import read_rows

_LEVEL = 0.05


@dataclass(frozen=True)
class AuditReport:
    """What `audit` found; `text()` prints it.

    left_out: pairs of models that cannot be compared, each with the reason.
    """

    models: tuple[ModelAudit, ...]
    pairs: tuple[PairAudit, ...]
    left_out: tuple[str, ...] = ()

    @property
    def contradictions(self) -> list[str]:
        """All contradictions, the model's name first."""
        return [f"{m.model}: {c}" for m in self.models for c in m.contradictions]

    def text(self) -> str:
        """The report as plain text, one paragraph per model and per pair."""
        parts = [_model_text(m) for m in self.models]
        parts += [_pair_text(p) for p in self.pairs]
        return "\n\n".join([*parts, *self.left_out]) + "\n"


def audit(table: str | Path) -> AuditReport:
    """What is arithmetically possible in a published table.

    table: CSV with columns class, support, recall and, for several models, model. A row
    without a support states a summary: its class is one of accuracy, macro_recall,
    macro_precision, macro_f1 and its recall the stated value. Shares are between 0 and
    1, and each is taken to be rounded, half-way either way, to as many digits as it is
    printed with. Raises BakeoffError that lists every bad row.
    """
    models = read_rows(Path(table))
    audited = tuple(audit_model(name, rows) for name, rows in models.items())
    pairs, left_out = [], []
    for a, b in combinations(audited, 2):
        if differences := what_differs(a, b):
            left_out.append(f"{a.model} against {b.model}: left out, as {differences}")
        else:
            pairs.append(audit_pair(a, b))
    return AuditReport(audited, tuple(pairs), tuple(left_out))


def _model_text(m: ModelAudit) -> str:
    images = sum(c.support for c in m.counts)
    unique = sum(c.low == c.high for c in m.counts)
    least = share_text(m.least_f1, m.digits + 1)
    lines = [
        f"{m.model}: {len(m.counts)} classes, {images} images",
        f"  recalls that fix their count: {unique} of {len(m.counts)}",
        f"  accuracy implied by the classes: {range_text(*m.accuracy, m.digits + 1)}",
        f"  macro recall implied: {range_text(*m.macro_recall, m.digits + 1)}",
        f"  macro precision and macro F1 implied: {least} or more",
    ]
    lines += [f"  stated {metric}: {value}" for metric, value in m.stated.items()]
    found = [f"  CONTRADICTION: {text}" for text in m.contradictions]
    return "\n".join(lines + (found or ["  no contradiction found"]))


def _pair_text(p: PairAudit) -> str:
    o = p.overall
    lines = [
        f"{p.a} against {p.b}, if both saw the same images",
        f"  {_rights(o)} right: {_difference(o)} points",
        f"  unpaired z test: {_between(o.unpaired)} (not the test of two models on the "
        "same images)",
        f"  McNemar mid-p, which the table does not fix: {_between(o.paired)}; "
        f"{_settled(o.paired)}",
        f"  classes that survive Holm at 5 %: unpaired {_survivors(p, p.holm_unpaired)}; "
        f"paired {_survivors(p, p.holm_paired)}",
        "  by class, Holm-adjusted over the classes:",
    ]
    for bounds, unpaired, paired in zip(
        p.classes, p.holm_unpaired.tolist(), p.holm_paired.tolist(), strict=True
    ):
        lines.append(
            f"    {bounds.name}: {_rights(bounds)}, unpaired {_between(unpaired)}, "
            f"paired {_between(paired)}"
        )
    return "\n".join(lines)


def _survivors(p: PairAudit, adjusted: np.ndarray) -> str:
    """Names of the classes below the level: whatever the counts, and for some."""
    certain, possible = (
        [c.name for c, keep in zip(p.classes, kept, strict=True) if keep]
        for kept in (
            adjusted[:, 1] <= _LEVEL,
            (adjusted[:, 0] <= _LEVEL) & (adjusted[:, 1] > _LEVEL),
        )
    )
    parts = [", ".join(certain), f"perhaps {', '.join(possible)}" if possible else ""]
    return " and ".join(filter(None, parts)) or "none"


def _settled(paired: Between) -> str:
    if paired[1] <= _LEVEL:
        return "significant at 5 % whatever the counts and the joint table"
    if paired[0] > _LEVEL:
        return "not significant at 5 % whatever the counts and the joint table"
    return "only the predictions themselves can tell"


def _rights(bounds: Bounds) -> str:
    return f"{_count(bounds.right_a)} against {_count(bounds.right_b)} of {bounds.n}"


def _difference(bounds: Bounds) -> str:
    low = 100 * (bounds.right_a[0] - bounds.right_b[1]) / bounds.n
    high = 100 * (bounds.right_a[1] - bounds.right_b[0]) / bounds.n
    return f"{low:+.1f}" if low == high else f"{low:+.1f} to {high:+.1f}"


def _count(ends: Ends) -> str:
    return f"{ends[0]}" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _between(ends: Sequence[float]) -> str:
    if ends[0] == ends[1]:
        return f"p = {ends[0]:.3g}"
    return f"p from {ends[0]:.3g} to {ends[1]:.3g}"
