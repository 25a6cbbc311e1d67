"""Colours, names and panels that all figures share.

An encoder keeps its colour and mark in every figure: both follow from its place in the
list of the study's encoders. Seven colours that colour-blind readers tell apart, then
the same seven with the next mark; and wherever there is room, the name stands beside.

Okabe, M. and Ito, K. (2008), Color Universal Design.
"""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.font_manager
import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

STYLE = Path(__file__).with_name("bakeoff.mplstyle")

INK, MUTED, EDGE, GRID, PAPER = "#1f2328", "#57606a", "#8c959f", "#d8dee4", "#ffffff"
LIGHT = "#fefefe"  # text on dark cells; not PAPER, which turns dark on a dark page
BETTER, EQUIVALENT, WORSE = "#0072B2", "#afb8c1", "#D55E00"
RIGHT, WRONG = "#14773a", "#c0212d"

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A6A53")
MARKS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", "--", ":", "-.")

# Fonts for letters that DejaVu Sans lacks, such as Chinese, Japanese and Korean: those
# that the machine has, in this order. Without any of them such letters are boxes.
FALLBACKS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Noto Sans JP"),
    *("Noto Sans KR", "Source Han Sans SC", "WenQuanYi Micro Hei", "PingFang SC"),
    *("Hiragino Sans", "Apple SD Gothic Neo", "Microsoft YaHei", "Yu Gothic"),
    *("Malgun Gothic", "Noto Sans Devanagari", "Noto Sans Thai", "Arial Unicode MS"),
)

WIDTH = 7.2  # inches: two columns of most journals (183 mm)


class Look(NamedTuple):
    """How one encoder is drawn, in every figure."""

    colour: str
    mark: str
    dash: str


def styled() -> AbstractContextManager[None]:
    """The style file, for the length of a `with` block."""
    installed = {font.name for font in matplotlib.font_manager.fontManager.ttflist}
    fonts = ["DejaVu Sans", *(name for name in FALLBACKS if name in installed)]
    return matplotlib.style.context([STYLE, {"font.family": fonts}])


def looks(encoders: Sequence[str]) -> dict[str, Look]:
    """The look of each encoder by its place in `encoders`; the first 49 differ."""
    n = len(COLOURS)
    return {
        encoder: Look(
            COLOURS[i % n],
            MARKS[(i + i // n) % len(MARKS)],
            DASHES[(i // n) % len(DASHES)],
        )
        for i, encoder in enumerate(encoders)
    }


def short(name: str, length: int = 30) -> str:
    """`name`, its middle cut out where it is longer than `length` characters.

    Dollar signs are escaped: no user's text is read as a formula.
    """
    if len(name) > length:
        head = (length - 1) // 2
        name = f"{name[: length - 1 - head]}…{name[-head:]}"
    return name.replace("$", r"\$")


def panels(
    figure: Figure, n: int, columns: int, *, sharex: bool = True, sharey: bool = True
) -> list[Axes]:
    """`n` axes in rows of at most `columns`; places left over stay empty."""
    columns = max(1, min(n, columns))
    grid = figure.subplots(
        math.ceil(n / columns), columns, sharex=sharex, sharey=sharey, squeeze=False
    )
    axes = list(grid.flat)
    for spare in axes[n:]:
        spare.set_axis_off()
    for above in axes[max(0, n - columns) : n]:
        above.tick_params(labelbottom=True)
    return axes[:n]


def rows_axis(axes: Axes, names: Sequence[str], *, length: int = 30) -> None:
    """One named row per item, first on top, no ticks and no left spine."""
    axes.set_yticks(range(len(names)), [short(name, length) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def interval(
    axes: Axes, low: float, high: float, height: float, colour: str = INK
) -> None:
    """An interval as a thin bar at one height; nothing where an end is NaN."""
    axes.plot(
        [low, high],
        [height, height],
        color=colour,
        linewidth=1.1,
        solid_capstyle="butt",
    )


def plain_log(axes: Axes) -> None:
    """A logarithmic x axis whose ticks are plain numbers, few enough to be read."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    decades = math.log10(high / low)
    if decades < 1:
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    else:
        steps = (
            (1.0, 2.0, 5.0) if decades < 1.7 else (1.0, 3.0) if decades < 3 else (1.0,)
        )
        axes.xaxis.set_major_locator(LogLocator(subs=steps, numticks=20))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")


def log_ticks(axes: Axes, ticks: Sequence[float]) -> None:
    """A logarithmic x axis with these ticks, all named."""
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())


def colour_bar(
    figure: Figure,
    axes: Axes | Sequence[Axes],
    colours: ScalarMappable,
    label: str,
    **options: Any,
) -> None:
    """A slim bar of the colours below `axes`; `options` are those of `colorbar`."""
    bar = figure.colorbar(
        colours, ax=axes, location="bottom", shrink=0.4, aspect=40, **options
    )
    bar.set_label(label)
    bar.outline.set_visible(False)


def signed_points(share: float) -> str:
    """A difference of shares in whole points, with its sign: +5, −3, 0."""
    points = round(100 * share)
    return f"{points:+d}".replace("-", "−") if points else "0"


def say_empty(figure: Figure, words: str) -> None:
    """A figure that says in words why there is nothing to draw."""
    axes = figure.subplots()
    axes.set_axis_off()
    said = axes.text(0.5, 0.5, words, ha="center", va="center", color=MUTED, wrap=True)
    said.set_gid(_EMPTY)


def is_empty(svg: str) -> bool:
    """Whether a saved figure only says why there is nothing to draw."""
    return f'id="{_EMPTY}"' in svg


_EMPTY = "nothing-to-draw"
