"""The same test images seen by two encoders, picked by rule and never by hand.

Three rows: both encoders wrong, only the first right, only the second right. Within a
row the most confident mistakes come first, and a class comes a second time only when
every class of the row has had its turn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from bakeoff.figures.frames import frame
from bakeoff.figures.opinions import Opinions, opinions
from bakeoff.figures.style import INK, MUTED, RIGHT, WIDTH, WRONG, say_empty, short

_PIXELS = 160


@dataclass(frozen=True)
class Shown:
    """One picture with its label and what was said of it: (class, whether right)."""

    picture: Image.Image
    label: str
    said: list[tuple[str, bool]]


@dataclass(frozen=True)
class QualitativeData:
    """rows[title] holds at most `columns` pictures."""

    a: str
    b: str
    columns: int
    rows: dict[str, list[Shown]]


def data_from(
    *,
    predictions: Sequence[pa.Table],
    manifest: pa.Table,
    folder: Path,
    read: Callable[[Path], Image.Image],
    a: str,
    b: str,
    method: str | None = None,
    protocol: str | None = None,
    columns: int = 6,
) -> QualitativeData:
    """The chosen images of the encoders `a` and `b` of one setting.

    `read` turns a path under `folder` into an RGB picture.
    """
    said = opinions(predictions, method=method, protocol=protocol, encoders=[a, b])
    right_a, right_b = said.right.T
    of_a, of_b = said.confidence.T
    kinds = {
        "Both wrong": (~right_a & ~right_b, of_a + of_b),
        "Only A right": (right_a & ~right_b, of_b),
        "Only B right": (~right_a & right_b, of_a),
    }
    path = paths(manifest)
    rows = {
        title: [
            shown(said, i, folder, path, read)
            for i in in_turn(np.flatnonzero(mask), confidence, said.truth)[:columns]
        ]
        for title, (mask, confidence) in kinds.items()
    }
    return QualitativeData(a, b, columns, rows)


def size(data: QualitativeData) -> tuple[float, float]:
    """Width and height in inches."""
    rows = sum(bool(shown) for shown in data.rows.values())
    return WIDTH, 0.45 + max(1, rows) * (WIDTH / data.columns + 0.62)


def draw(data: QualitativeData, figure: Figure) -> None:
    """Label in black, right in green with a tick, wrong in red with a cross."""
    rows = {title: shown for title, shown in data.rows.items() if shown}
    if not rows:
        return say_empty(figure, "Both encoders were right about every image.")
    grid = figure.subplots(len(rows), data.columns, squeeze=False)
    for line, (title, pictures) in zip(grid, rows.items(), strict=True):
        for place, axes in enumerate(line):
            cell(axes, pictures[place] if place < len(pictures) else None, "AB")
        line[0].set_title(title, fontsize=8)
    figure.suptitle(
        f"A: {short(data.a, 40)}      B: {short(data.b, 40)}",
        x=0.01,
        ha="left",
        fontsize=8,
        color=MUTED,
    )


def in_turn(places: np.ndarray, confidence: np.ndarray, truth: np.ndarray) -> list[int]:
    """The places, most confident first, every class once before any comes twice."""
    order = sorted(places.tolist(), key=lambda i: (-confidence[i], i))
    turn: dict[int, int] = {}
    rounds = []
    for i in order:
        turn[truth[i]] = turn.get(truth[i], -1) + 1
        rounds.append(turn[truth[i]])
    return [i for _, i in sorted(zip(rounds, order, strict=True), key=lambda x: x[0])]


def shown(
    said: Opinions,
    i: int,
    folder: Path,
    path: dict[str, str],
    read: Callable[[Path], Image.Image],
) -> Shown:
    """Image i with what its encoders said."""
    picture = read(folder / path[said.image_ids[i]]).convert("RGB")
    picture.thumbnail((_PIXELS, _PIXELS), Image.Resampling.LANCZOS)
    calls = zip(said.called[i], said.right[i], strict=True)
    return Shown(
        picture,
        said.classes[said.truth[i]],
        [(said.classes[c], bool(right)) for c, right in calls],
    )


def paths(manifest: pa.Table) -> dict[str, str]:
    """Path of every image by its id."""
    rows = frame(manifest.select(["image_id", "path"]))
    return dict(zip(rows["image_id"], rows["path"], strict=True))


def cell(axes: Axes, item: Shown | None, names: Sequence[str]) -> None:
    """One picture with its words below; an empty place where there is none."""
    axes.set_axis_off()
    if item is None:
        return
    axes.imshow(np.asarray(item.picture), interpolation="antialiased")
    axes.set_box_aspect(1)
    lines = [(short(item.label, 22), INK, "bold")]
    for name, (word, right) in zip(names, item.said, strict=True):
        mark = "✓" if right else "✗"
        text = (
            f"{mark} {name}: {short(word, 18)}" if name else f"{mark} {short(word, 22)}"
        )
        lines.append((text, RIGHT if right else WRONG, "normal"))
    for place, (text, colour, weight) in enumerate(lines):
        axes.annotate(
            text,
            (0, 0),
            xycoords="axes fraction",
            xytext=(0, -4 - 9.5 * place),
            textcoords="offset points",
            va="top",
            fontsize=6.2,
            color=colour,
            fontweight=weight,
            annotation_clip=False,
        )
