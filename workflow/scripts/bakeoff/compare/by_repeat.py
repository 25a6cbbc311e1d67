"""A panel's outcomes by repeat, and what each image contributes to a difference."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bakeoff.compare.design import Groups, Panel
from bakeoff.compare.units import unit_names
from bakeoff.metrics.influence import Summable, contributions
from bakeoff.metrics.interface import Outcomes
from bakeoff.metrics.outcomes import pooled
from bakeoff.metrics.table import overall_value


@dataclass(frozen=True)
class Difference:
    """a minus b as it is printed, and how each image contributes to it.

    d: (R, n), NaN where an image was not tested in a repeat; units: (n,) numbers.
    """

    value: float
    d: np.ndarray
    units: np.ndarray

    @property
    def defined(self) -> bool:
        """Whether there is a value, and a contribution of every image tested."""
        return bool(np.isfinite(self.value) and np.isfinite(self.d).any(axis=1).all())


class ByRepeat:
    """Every encoder's outcomes of each repeat as a whole, images in one order."""

    def __init__(self, panel: Panel, groups: Groups | None) -> None:
        self._panel = panel
        tested = [run.image_ids for run in panel.runs[panel.encoders[0]]]
        self.ids = np.unique(np.concatenate(tested).astype(str))
        self.names = unit_names(self.ids, groups)
        self.units = np.unique(self.names, return_inverse=True)[1]
        self._kept: dict[tuple[str, str], tuple[float, np.ndarray]] = {}

    @cached_property
    def repeats(self) -> Mapping[str, list[Outcomes]]:
        """{encoder: outcomes of every repeat}, in the order of `rows`."""
        return {
            encoder: [pooled(own) for own in self._split(encoder)]
            for encoder in self._panel.encoders
        }

    @cached_property
    def rows(self) -> list[np.ndarray]:
        """Of every repeat, the places of its images among `ids`."""
        own = self._split(self._panel.encoders[0])
        ids = [np.concatenate([run.image_ids for run in runs]) for runs in own]
        return [np.searchsorted(self.ids, names.astype(str)) for names in ids]

    def difference(self, metric: Summable, a: str, b: str) -> Difference:
        """Of all images together.

        Where zero is best, of distances from zero: the side on which an encoder's overall
        value lies is taken for all its images.
        """
        (value_a, d_a), (value_b, d_b) = (self._of(metric, e) for e in (a, b))
        return Difference(value_a - value_b, d_a - d_b, self.units)

    def difference_of_class(self, k: int, a: str, b: str) -> Difference:
        """Of the recall of class k, over its images alone."""
        right = {e: self._right(k, e) for e in (a, b)}
        d = right[a] - right[b]
        tested = np.isfinite(d).any(axis=0)
        d = d[np.isfinite(d).any(axis=1)][:, tested]
        if not d.size:
            return Difference(np.nan, d, self.units[tested])
        units = np.unique(self.units[tested], return_inverse=True)[1]
        return Difference(float(np.nanmean(d)), d, units)

    def _of(self, metric: Summable, encoder: str) -> tuple[float, np.ndarray]:
        key = (metric.name, encoder)
        if key not in self._kept:
            value, _, _ = overall_value(metric, self.repeats[encoder])
            d = np.full((len(self.rows), len(self.ids)), np.nan)
            for row, o, images in zip(d, self.repeats[encoder], self.rows, strict=True):
                row[images] = contributions(metric, o)
            if metric.better == "zero":
                value, d = abs(value), d * np.sign(value)
            self._kept[key] = (value, d)
        return self._kept[key]

    def _right(self, k: int, encoder: str) -> np.ndarray:
        """(R, n) 1 where an image of class k is recognised, 0 where not, NaN elsewhere."""
        right = np.full((len(self.rows), len(self.ids)), np.nan)
        for row, o, images in zip(right, self.repeats[encoder], self.rows, strict=True):
            own = o.y_true == k
            row[images[own]] = o.y_pred[own] == k
        return right

    def _split(self, encoder: str) -> list[list]:
        runs = self._panel.runs[encoder]
        numbers = sorted({run.repeat for run in runs})
        return [[run for run in runs if run.repeat == r] for r in numbers]
