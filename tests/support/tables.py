"""One small table of any kind in its place, saying of itself what it should."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from bakeoff.places import PLACES
from bakeoff.schemas import SCHEMAS
from bakeoff.tables import write_table

Names = dict[str, str]


def path_of(results: Path, place: str, names: Names) -> Path:
    """The path of a place of `PLACES`, for these names."""
    return results / place.format(**names)


def columns_of(kind: str, names: Names) -> dict[str, Any]:
    """One row of a kind of table: its names, and any value for the rest."""
    found: dict[str, Any] = {}
    for column in SCHEMAS[kind].columns:
        if column.name == "embedding":
            found["embedding"] = np.ones((1, 2), np.float32)
        elif column.nullable:
            continue
        elif column.name in names:
            found[column.name] = [names[column.name]]
        else:
            found[column.name] = [_value(column.type)]
    return found


def put_table(
    results: Path, place: str, names: Names, rows: Any = None, **provenance: Any
) -> Path:
    """The path of a table, of one row unless `rows` are given, where it should lie."""
    path = path_of(results, place, names)
    kind = PLACES[place]
    write_table(path, kind, rows or columns_of(kind, names), provenance)
    return path


def _value(kind: pa.DataType) -> object:
    if pa.types.is_list(kind):
        return [0.5]
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind):
        return "x"
    return False if pa.types.is_boolean(kind) else 1
