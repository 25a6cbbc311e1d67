"""A figure on disk: SVG for print and screen, PNG for everything else.

The bytes are a function of the data alone: no date, no version, no random id.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from matplotlib.figure import Figure

from bakeoff.figures.style import styled
from bakeoff.tables import atomic_path

Data = TypeVar("Data")

# Matplotlib would write the time and its version.
_NO_TRACES: dict[str, dict[str, None]] = {
    ".svg": {"Date": None, "Creator": None},
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def save_figure(
    draw: Callable[[Data, Figure], None],
    data: Data,
    size: tuple[float, float],
    *paths: str | Path,
) -> None:
    """Draw `data` into a figure of `size` inches and write it to every path.

    The suffix of a path (.svg, .png, .pdf) decides its format. Each file is written
    whole or not at all.
    """
    with styled():
        figure = Figure(figsize=size)
        draw(data, figure)
        for path in map(Path, paths):
            with atomic_path(path) as temporary:
                figure.savefig(
                    temporary,
                    format=path.suffix.removeprefix("."),
                    metadata=_NO_TRACES[path.suffix],
                )
