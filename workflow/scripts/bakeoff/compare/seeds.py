"""Fine-tuned encoders over their seeds, a source of variance that no test set shows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bakeoff.metrics.definitions import METRICS
from bakeoff.stats.variance import compare_seeds
from bakeoff.tables import strings

Key = tuple[str, str, str]  # method, protocol, metric


def values_by_seed(
    metrics: pa.Table, names: Sequence[str], families: Mapping[str, str]
) -> dict[Key, dict[str, np.ndarray]]:
    """{(method, protocol, metric): {family: one value per seed}}, all images together.

    families: {fine-tuned encoder: its id without the seed}; those with a single seed,
    or with an undefined value, are left out.
    """
    rows = metrics.filter(
        (pc.field("repeat") == -1) & (pc.field("class").cast(pa.string()) == "")
    )
    words = [strings(rows, n) for n in ("encoder", "method", "protocol", "metric")]
    found: dict[Key, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for encoder, *key, value in zip(
        *words, rows.column("value").to_pylist(), strict=True
    ):
        if encoder in families and key[2] in names and value is not None:
            found[key[0], key[1], key[2]][families[encoder]].append(value)
    several = {
        key: {name: np.array(v) for name, v in by_family.items() if len(v) > 1}
        for key, by_family in found.items()
    }
    return {key: by_family for key, by_family in several.items() if by_family}


def seed_rows(
    study: str, values: Mapping[Key, Mapping[str, np.ndarray]]
) -> list[dict[str, Any]]:
    """Rows of the table `seeds`: every pair of families."""
    return [
        {"study": study, "method": method, "protocol": protocol, "metric": metric}
        | {"a": a, "b": b}
        | _compared(by_family[a], by_family[b], METRICS[metric].better)
        for (method, protocol, metric), by_family in values.items()
        for a, b in combinations(by_family, 2)
    ]


def _compared(a: np.ndarray, b: np.ndarray, better: str) -> dict[str, float]:
    """Where zero is best, values are compared by their distance from it."""
    told = compare_seeds(a, b)
    higher = compare_seeds(np.abs(a), np.abs(b)) if better == "zero" else told
    chance = higher.p_higher if better == "higher" else 1 - higher.p_higher
    return {
        "seeds_a": len(a),
        "seeds_b": len(b),
        "mean_a": told.mean_a,
        "sd_a": told.sd_a,
        "mean_b": told.mean_b,
        "sd_b": told.sd_b,
        "p_better": chance,
    }
