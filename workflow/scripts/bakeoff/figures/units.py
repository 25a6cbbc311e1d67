"""How a metric is printed: its name, its unit, and which way is better."""

from dataclasses import dataclass

from bakeoff.compare.labels import in_points
from bakeoff.metrics.definitions import METRICS


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
    if in_points(metric):
        return Unit(label, 100.0, "%", "points", better)
    return Unit(label, 1.0, "", "", better)


def lower_first(label: str) -> str:
    """`label` as it reads inside a sentence; abbreviations keep their capitals."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]
