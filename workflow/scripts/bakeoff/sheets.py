"""A table for papers and pages: one sheet, printed as LaTeX, Markdown or CSV."""

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bakeoff.tables import atomic_path

Raw = str | float | None


@dataclass(frozen=True)
class Column:
    """A heading, and the names of the CSV columns that its cells fill."""

    heading: str
    raw: tuple[str, ...]
    number: bool = True


@dataclass(frozen=True)
class Cell:
    """What is printed, and the values behind it; the first one decides the order."""

    text: str
    raw: tuple[Raw, ...]


@dataclass(frozen=True)
class Sheet:
    """One table: an id, a title, what the reader must know, columns and rows."""

    name: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: list[tuple[Cell, ...]]


def write_sheets(folder: Path, sheets: Iterable[Sheet]) -> None:
    """NAME.csv, NAME.md and NAME.tex of every sheet, each whole or not at all."""
    for sheet in sheets:
        for kind, printed in (("csv", to_csv), ("md", to_markdown), ("tex", to_latex)):
            with atomic_path(folder / f"{sheet.name}.{kind}") as temporary:
                temporary.write_text(printed(sheet), encoding="utf-8", newline="\n")


def to_csv(sheet: Sheet) -> str:
    """All values behind the sheet, in stored units, unrounded.

    Text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_plain(name) for column in sheet.columns for name in column.raw])
    for row in sheet.rows:
        writer.writerow([_plain(value) for cell in row for value in cell.raw])
    return out.getvalue()


def to_markdown(sheet: Sheet) -> str:
    """A pipe table, as Pandoc and GitHub read it."""

    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(_markdown(cell) for cell in cells) + " |\n"

    rule = ["---:" if column.number else ":---" for column in sheet.columns]
    head = line(column.heading for column in sheet.columns)
    body = "".join(line(cell.text for cell in row) for row in sheet.rows)
    return head + "|" + "|".join(rule) + "|\n" + body


def to_latex(sheet: Sheet) -> str:
    """A table environment in the manner of booktabs; every character is escaped."""

    def line(cells: Iterable[str]) -> str:
        return "    " + " & ".join(map(_latex_cell, cells)) + r" \\" + "\n"

    places = "".join("r" if column.number else "l" for column in sheet.columns)
    return (
        "\\begin{table}\n  \\centering\n"
        f"  \\caption{{{_latex(f'{sheet.title}. {sheet.caption}'.strip())}}}\n"
        f"  \\label{{tab:{sheet.name.replace('_', '-')}}}\n"
        f"  \\begin{{tabular}}{{{places}}}\n    \\toprule\n"
        + line(column.heading for column in sheet.columns)
        + "    \\midrule\n"
        + "".join(line(cell.text for cell in row) for row in sheet.rows)
        + "    \\bottomrule\n  \\end{tabular}\n\\end{table}\n"
    )


def _plain(value: Raw) -> Raw:
    if isinstance(value, float | np.floating):
        return repr(float(value)) if math.isfinite(value) else ""
    if isinstance(value, str) and value.startswith(_FORMULA) and not _is_number(value):
        return f"'{value}"
    return "" if value is None else value


# What spreadsheets take for the beginning of a formula; an apostrophe makes it text.
# Source: OWASP, "CSV injection".
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _markdown(text: str) -> str:
    for special in ("\\", "|", "*", "_", "`", "<", "[", "]"):
        text = text.replace(special, f"\\{special}")
    return " ".join(text.split())


_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "−": "$-$",
    "–": "--",
    "±": r"$\pm$",
    "·": r"$\cdot$",
    **{special: f"\\{special}" for special in "&%$#_{}"},
}


def _latex_cell(text: str) -> str:
    """A cell as LaTeX, its first character in braces if a command could take it.

    The end of a row and the rules look past white space for a star or for a length in
    brackets.
    """
    cell = _latex(text)
    return f"{{{cell[0]}}}{cell[1:]}" if cell.startswith(("[", "*")) else cell


def _latex(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in " ".join(text.split()))
