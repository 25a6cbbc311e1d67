"""Values of metrics by run, as comparisons and components of variance need them."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bakeoff.tables import strings

# (encoder, method, protocol, metric) -> {(repeat, fold): value}
FoldValues = Mapping[tuple[str, str, str, str], Mapping[tuple[int, int], float]]


def fold_values(metrics: pa.Table, study: str) -> FoldValues:
    """The values of all classes together that belong to one run each."""
    rows = metrics.filter(
        (pc.field("fold") >= 0)
        & (pc.field("repeat") >= 0)
        & (pc.field("class").cast(pa.string()) == "")
        & (pc.field("study").cast(pa.string()) == study)
    )
    words = [strings(rows, n) for n in ("encoder", "method", "protocol", "metric")]
    numbers = [rows.column(n).to_pylist() for n in ("repeat", "fold", "value")]
    found: dict[tuple[str, str, str, str], dict[tuple[int, int], float]] = {}
    for encoder, method, protocol, metric, repeat, fold, value in zip(
        *words, *numbers, strict=True
    ):
        key = (encoder, method, protocol, metric)
        number = np.nan if value is None else value
        found.setdefault(key, {})[repeat, fold] = number
    return found
