"""The variance of a difference from metrics without each unit, where a method has them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from bakeoff.compare.rows import Question
from bakeoff.stats.resampling import jackknife_error
from bakeoff.tables import strings

# (encoder, method, protocol, metric) -> {unit: value without it}
_Values = Mapping[tuple[str, str, str, str], Mapping[str, float]]


@dataclass(frozen=True)
class Refits:
    """Metrics without each unit, by encoder, method, protocol and metric."""

    values: _Values

    def variance(self, q: Question, names: np.ndarray) -> float | None:
        """Delete-one variance of a minus b over the units `names`, None without refits.

        Where zero is best, of distances from zero.
        """
        found = []
        for encoder in (q.a, q.b):
            own = self.values.get((encoder, q.method, q.protocol, q.metric))
            if own is None:
                return None
            without = np.array([own[unit] for unit in np.unique(names)])
            found.append(np.abs(without) if q.better == "zero" else without)
        return float(jackknife_error(found[0] - found[1]) ** 2)


def refits_of(tables: Iterable[pa.Table]) -> Refits:
    """From the tables of refits, which may be empty."""
    values: dict[tuple[str, str, str, str], dict[str, float]] = {}
    for table in tables:
        columns = ("encoder", "method", "protocol", "metric", "unit")
        words = [strings(table, name) for name in columns]
        numbers = table.column("value").to_pylist()
        for *key, unit, value in zip(*words, numbers, strict=True):
            values.setdefault(tuple(key), {})[unit] = value
    return Refits(values)
