"""The audit of a published table, and the same in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from bakeoff.audit.models import ModelAudit, audit_model, range_text, share_text
from bakeoff.audit.pairs import PairAudit, audit_pair
from bakeoff.audit.table import read_rows


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
    models = read_rows(Path(table))
    audited = tuple(audit_model(name, rows) for name, rows in models.items())
    pairs = [
        audit_pair(a, b)
        for a, b in combinations(audited, 2)
        if _supports(a) == _supports(b)
    ]
    return AuditReport(audited, tuple(pairs))


def _model_text(m: ModelAudit) -> str:
    images = sum(c.support for c in m.counts)
    unique = sum(c.low == c.high for c in m.counts)
    lines = [
        f"{m.model}: {len(m.counts)} classes, {images} images",
        f"  recalls that fix their count: {unique} of {len(m.counts)}",
        f"  accuracy implied by the classes: {range_text(*m.accuracy, m.digits + 1)}",
        f"  macro recall implied: {range_text(*m.macro_recall, m.digits + 1)}",
    ]
    lines += [
        f"  stated {metric}: {share_text(value, m.digits)}"
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


def _supports(m: ModelAudit) -> dict[str, int]:
    return {c.name: c.support for c in m.counts}
