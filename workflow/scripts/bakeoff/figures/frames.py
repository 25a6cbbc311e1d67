"""Tables as data frames: words as text, order of classes, names of settings."""

import re
from collections.abc import Iterable, Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bakeoff.tables import origin

OVERALL = -1  # of repeats and folds, in `metrics`


def frame(table: pa.Table) -> pd.DataFrame:
    """The rows of `table`; dictionary-encoded words become plain text."""
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            words = table.column(place).cast(pa.string())
            table = table.set_column(place, field.name, words)
    return table.to_pandas()


def frames(tables: Sequence[pa.Table], columns: Sequence[str]) -> pd.DataFrame:
    """Those columns of all tables, one below the other."""
    return pd.concat(
        [frame(table.select(list(columns))) for table in tables], ignore_index=True
    )


def classes_of(tables: Sequence[pa.Table]) -> list[str]:
    """The classes in the order that the writer gave, or else in natural order."""
    for table in tables:
        if classes := origin(table).get("classes"):
            return [str(name) for name in classes]
    labels = frames(tables, ["y_true", "y_pred"])
    return natural(set(labels["y_true"]) | set(labels["y_pred"]))


def natural(words: Iterable[str]) -> list[str]:
    """Sorted so that 9 comes before 10, and case does not matter."""

    def key(word: str) -> list[tuple[int, float, str]]:
        parts = re.split(r"(\d+(?:\.\d+)?)", word.lower())
        return [(0, float(p), "") if p[:1].isdigit() else (1, 0.0, p) for p in parts]

    return sorted(words, key=lambda word: (key(word), word))


def setting_names(
    settings: Iterable[tuple[str, str]], first: tuple[str, str] | None = None
) -> dict[tuple[str, str], str]:
    """A name for each (method, protocol): the method alone where that is enough.

    In alphabetical order, but `first` before all others.
    """
    settings = sorted(set(settings), key=lambda setting: (setting != first, setting))
    methods = [method for method, _ in settings]
    return {
        (method, protocol): method
        if methods.count(method) == 1
        else f"{method} on {protocol}"
        for method, protocol in settings
    }


def encoders_in(rows: pd.DataFrame, encoders: Sequence[str] | None) -> list[str]:
    """The study's encoders as given, or all that the rows name."""
    return list(encoders) if encoders else natural(set(rows["encoder"]))


def of_setting(
    tables: Sequence[pa.Table], method: str | None, protocol: str | None
) -> list[pa.Table]:
    """The tables' rows of one method and protocol; None leaves either open."""
    wanted = {"method": method, "protocol": protocol}
    for name, text in wanted.items():
        if text is not None:
            tables = [t.filter(pc.equal(_words(t, name), text)) for t in tables]
    return [table for table in tables if table.num_rows]


def _words(table: pa.Table, name: str) -> pa.ChunkedArray:
    return table.column(name).cast(pa.string())


def one_setting(
    rows: pd.DataFrame, method: str | None, protocol: str | None
) -> pd.DataFrame:
    """The rows of one method and protocol; ValueError where that leaves several."""
    if method is not None:
        rows = rows[rows["method"] == method]
    if protocol is not None:
        rows = rows[rows["protocol"] == protocol]
    settings = rows[["method", "protocol"]].drop_duplicates()
    if len(settings) > 1:
        raise ValueError(f"one setting expected, got {settings.values.tolist()}")
    return rows
