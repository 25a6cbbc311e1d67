"""Printed cells: as many digits as a number's uncertainty allows, all of them behind it."""

import math

import pandas as pd

from bakeoff.figures.units import Unit
from bakeoff.sheets import Cell


def word(word: str | float) -> Cell:
    """A word as it is."""
    return Cell(str(word), (word,))


def count(n: float) -> Cell:
    """A count, or a dash where there is none."""
    return Cell(f"{n:g}" if math.isfinite(n) else "–", (n,))


def fixed(value: float, places: int) -> str:
    """So many decimals, with a true minus sign."""
    return f"{value:.{places}f}".replace("-", "−") if math.isfinite(value) else "–"


def significant(value: float, scale: float = 1.0) -> Cell:
    """Three significant digits, without an exponent."""
    value = as_number(value)
    if not math.isfinite(value):
        return Cell("–", (value,))
    shown = value * scale
    digits = decimals_for(abs(shown), 3) if shown else 0
    return Cell(f"{shown:.{digits}f}", (value,))


def chance(value: float) -> Cell:
    """A probability in two decimals, never 0 or 1."""
    value = as_number(value)
    if not math.isfinite(value):
        return Cell("–", (value,))
    if 0.01 <= value <= 0.99:
        return Cell(f"{value:.2f}", (value,))
    return Cell("<0.01" if value < 0.01 else ">0.99", (value,))


def p_value(value: float) -> str:
    """A p-value in three decimals, never 0."""
    value = as_number(value)
    if not math.isfinite(value):
        return "–"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def as_number(value: float | None) -> float:
    """NaN for whatever stands for a missing number."""
    return math.nan if value is None or pd.isna(value) else float(value)


def decimals_for(uncertainty: float, digits: int = 2) -> int:
    """Decimals that show `uncertainty` to so many significant digits, from 0 to 6.

    Half an interval of 4.8 allows 1 decimal (4.8), of 0.037 three (0.037), of 12 none.
    """
    if not (math.isfinite(uncertainty) and uncertainty > 0):
        return 2
    return int(min(6, max(0, digits - 1 - math.floor(math.log10(uncertainty)))))


def with_interval(value: float, low: float, high: float, *, sign: bool = False) -> str:
    """`75.5 [70.3, 80.0]`, rounded by half the interval; without one, two decimals."""
    if not math.isfinite(value):
        return "–"
    plus = "+" if sign else ""
    if not (math.isfinite(low) and math.isfinite(high)):
        return f"{value:{plus}.2f}".replace("-", "−")
    d = decimals_for((high - low) / 2)
    return f"{value:{plus}.{d}f} [{low:.{d}f}, {high:.{d}f}]".replace("-", "−")


def value_cell(value: float, unit: Unit) -> Cell:
    """A metric's value in the unit of figures: points with one decimal, else three."""
    return Cell(fixed(value * unit.scale, 1 if unit.scale > 1 else 3), (value,))
