"""The rows of a published table, by model."""

import csv
from collections.abc import Mapping
from math import isfinite
from pathlib import Path

from bakeoff.errors import BakeoffError

SUMMARIES = ("accuracy", "macro_recall", "macro_precision", "macro_f1")
_COLUMNS = ("class", "support", "recall")


def read_rows(path: Path) -> dict[str, list[dict[str, str]]]:
    """Rows by model, in the order of the file; BakeoffError with every bad row."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            header = [name.strip() for name in reader.fieldnames or []]
            reader.fieldnames = header
            rows = [{k: (row.get(k) or "").strip() for k in header} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _bad(path, str(error)) from error
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        raise _bad(path, f"columns {header}, without {missing}")
    if repeated := sorted({n for n in _COLUMNS if header.count(n) > 1}):
        raise _bad(path, f"columns that stand twice: {', '.join(repeated)}")
    problems = [
        f"line {line}: {problem}"
        for line, row in enumerate(rows, start=2)
        for problem in _problems(row)
    ]
    models: dict[str, list[dict[str, str]]] = {}
    for line, row in enumerate(rows, start=2):
        own = models.setdefault(row.get("model") or "the model", [])
        if row["class"] in {other["class"] for other in own}:
            problems.append(f"line {line}: {row['class']!r} twice")
        own.append(row)
    empty = [m for m, own in models.items() if not any(r["support"] for r in own)]
    problems += [f"no classes for {model}" for model in empty]
    if problems or not models:
        raise _bad(path, "; ".join(problems) or "no rows")
    return models


def _problems(row: Mapping[str, str]) -> list[str]:
    found = []
    support, share = row["support"], _number(row["recall"])
    if support and not (support.isdigit() and int(support) > 0):
        found.append(f"support {support!r} is no positive whole number")
    if not support and row["class"] not in SUMMARIES:
        found.append(f"{row['class']!r} has no support and is none of {SUMMARIES}")
    if share is None or not 0 <= share <= 1:
        found.append(f"recall {row['recall']!r} is no share between 0 and 1")
    return found


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    # Only plain decimals say to how many digits they were rounded.
    return value if isfinite(value) and set(text) <= set("0123456789.") else None


def _bad(path: Path, received: str) -> BakeoffError:
    return BakeoffError(
        str(path),
        received,
        "a CSV file with the columns class, support, recall and perhaps model; summary "
        f"rows have no support and one of {', '.join(SUMMARIES)} as class",
        "Correct these rows; write shares as in print, such as .857 or .900.",
    )
