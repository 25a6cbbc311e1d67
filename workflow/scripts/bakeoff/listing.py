"""Labels files: a CSV or Parquet table with one row per image.

Columns `path` and `label`; perhaps `split` (train, test), `group` and `sha256` (checked
against the file); other columns are the owner's and are left alone.
"""

import csv
import io
import os
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bakeoff.documents import read_text
from bakeoff.errors import BakeoffError, listed

_REQUIRED = ("path", "label")
_KNOWN = ("path", "label", "split", "group", "sha256")
_EXPECTED = "a CSV (UTF-8, commas, a header) or Parquet file"


@dataclass(frozen=True)
class Entry:
    """What the owner says of one image; `path` is relative to the folder of images."""

    path: str
    label: str
    split: str = ""
    group: str | None = None
    value: float | None = None
    sha256: str = ""


def read_listing(file: Path, images: Path) -> list[Entry]:
    """The entries of a CSV or Parquet file, in its order.

    Absolute paths are made relative to `images`. Raises BakeoffError for a missing or
    damaged file, missing columns, empty cells, unknown splits, paths outside the folder
    and paths named twice, listing all of a kind.
    """
    rows = read_rows(file)
    _check_cells(file, rows)
    entries = [_entry(row, images) for row in rows]
    _check_paths(file, images, entries)
    return entries


def class_name(text: str) -> str:
    """A class's name as it is stored and compared everywhere: in Unicode's form NFC.

    macOS hands out names of folders with accents apart from their letters (NFD), which
    look the same and are not equal.
    """
    return unicodedata.normalize("NFC", text)


def read_rows(file: Path) -> list[dict[str, str]]:
    """The rows of a file of labels as text, empty cells as "".

    Raises BakeoffError where it is missing, damaged or empty, where it lacks a column,
    and where it has one twice.
    """
    try:
        rows = _parquet(file) if file.suffix.lower() == ".parquet" else _csv(file)
    except BakeoffError:
        raise
    except (OSError, ValueError, csv.Error) as error:
        raise BakeoffError(
            str(file),
            f"a file that cannot be read ({str(error).splitlines()[0]})",
            _EXPECTED,
            "Save it as one of these.",
        ) from error
    _check_columns(file, rows)
    return rows


def _csv(file: Path) -> list[dict[str, str]]:
    text = io.StringIO(read_text(file, _EXPECTED), newline="")
    reader = csv.DictReader(text, strict=True, restval="")
    _refuse_repeated(file, reader.fieldnames or [])
    rows = list(reader)
    too_long = [str(i) for i, row in enumerate(rows, 2) if None in row]
    if too_long:
        raise ValueError(f"rows longer than the header: {', '.join(too_long[:20])}")
    return rows


def _refuse_repeated(file: Path, columns: Sequence[str]) -> None:
    """Raise BakeoffError where a column that is read has the name of another."""
    repeated = [name for name in _KNOWN if list(columns).count(name) > 1]
    if repeated:
        raise BakeoffError(
            str(file),
            f"columns that stand twice: {listed(repeated)}",
            "each column once",
            "Keep the right one of each, or rename the others.",
        )


def _parquet(file: Path) -> list[dict[str, str]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as source:
        table = source.read()
    _refuse_repeated(file, table.column_names)
    table = table.select([name for name in table.column_names if name in _KNOWN])
    return [
        {name: "" if cell is None else str(cell) for name, cell in row.items()}
        for row in table.to_pylist()
    ]


def _check_columns(file: Path, rows: list[dict[str, str]]) -> None:
    if not rows:
        raise BakeoffError(str(file), "no rows", "one row per image", "Fill it.")
    missing = [name for name in _REQUIRED if name not in rows[0]]
    if missing:
        raise BakeoffError(
            str(file),
            f"columns {list(rows[0])}, without {missing}",
            "columns path and label, perhaps split and group, separated by commas",
            "Rename or add them.",
        )


def _check_cells(file: Path, rows: list[dict[str, str]]) -> None:
    wrong = [
        f"row {number}: no {name}"
        for number, row in enumerate(rows, 2)
        for name in _REQUIRED
        if not row[name].strip()
    ]
    splits = Counter(row.get("split", "") for row in rows)
    unknown = sorted(set(splits) - {"train", "test", ""})
    wrong += [f"split {split!r} in {splits[split]} rows" for split in unknown]
    for name in ("split", "group"):
        blank = sum(not row.get(name) for row in rows)
        if blank not in (0, len(rows)):
            wrong.append(f"no {name} in {blank} of {len(rows)} rows")
    if wrong:
        raise BakeoffError(
            str(file),
            "; ".join(wrong[:100]),
            "a path and a label in every row; a split (train or test) and a group in "
            "every row or in none",
            "Correct these rows; validation images are taken from train.",
        )


def _entry(row: dict[str, str], images: Path) -> Entry:
    return Entry(
        os.path.relpath(images / row["path"], images).replace(os.sep, "/"),
        class_name(row["label"].strip()),
        row.get("split", ""),
        row.get("group") or None,
        sha256=row.get("sha256", ""),
    )


def _check_paths(file: Path, images: Path, entries: list[Entry]) -> None:
    counts = Counter(entry.path for entry in entries)
    wrong = [f"{path!r} in {n} rows" for path, n in counts.items() if n > 1]
    wrong += [f"{path!r} outside" for path in counts if path.split("/")[0] == ".."]
    if wrong:
        raise BakeoffError(
            str(file),
            f"{len(wrong)} unusable paths: {'; '.join(wrong[:100])}",
            f"each path once, inside {images}",
            "Remove repeated rows; set the folder of images to one that holds all.",
        )
