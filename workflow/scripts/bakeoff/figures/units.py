"""How a metric is printed: its name, its unit, and which way is better."""

from dataclasses import dataclass

from bakeoff.metrics.definitions import METRICS

# Metrics between 0 and 1 that people read as percentages.
_PER_CENT = ("accuracy", "recall", "precision", "f1", "macro_", "balanced_", "within_")
_PER_CENT_TOO = ("top_", "top1", "top3", "top5", "map", "agreement", "percent_")


@dataclass(frozen=True)
class Unit:
    """`scale` turns a stored value into a printed one."""

    label: str
    scale: float
    value: str
    difference: str
    better: str

    def axis(self) -> str:
        """Label of an axis of values."""
        return f"{self.label} ({self.value})" if self.value else self.label

    def difference_axis(self) -> str:
        """Label of an axis of differences."""
        unit = f" ({self.difference})" if self.difference else ""
        return f"Difference in {lower_first(self.label)}{unit}"


def unit_of(metric: str) -> Unit:
    """The unit of `metric`; an unknown metric keeps its id and its stored numbers."""
    known = METRICS.get(metric)
    label = known.label if known else metric.replace("_", " ").capitalize()
    better = known.better if known else "higher"
    if metric.startswith(_PER_CENT + _PER_CENT_TOO):
        return Unit(label, 100.0, "%", "points", better)
    return Unit(label, 1.0, "", "", better)


def lower_first(label: str) -> str:
    """`label` as it reads inside a sentence; abbreviations keep their capitals."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]
