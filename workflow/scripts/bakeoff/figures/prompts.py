"""Prompt ablation as a heat map: what each prompt does to each class."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from bakeoff.figures.frames import natural
from bakeoff.figures.style import (
    INK,
    LIGHT,
    WIDTH,
    colour_bar,
    say_empty,
    short,
    signed_points,
)


@dataclass(frozen=True)
class PromptData:
    """effects: (classes, prompts) float, in shares; NaN where a class lacks a prompt."""

    classes: list[str]
    prompts: list[str]
    effects: np.ndarray


def effects_of(rows: Iterable[Mapping[str, str]]) -> dict[str, dict[str, float]]:
    """effects[class][prompt] from the rows of a table of prompts.

    rows: class, template, text, effect. Prompts of different classes that stand at one
    place of the bank share a column: named by their common template, or by the place.
    """
    table = list(rows)
    forms: dict[str, set[str]] = defaultdict(set)
    for row in table:
        forms[row["template"]].add(row["text"].replace(row["class"], "{}"))
    effects: dict[str, dict[str, float]] = defaultdict(dict)
    for row in table:
        place, same = row["template"], forms[row["template"]]
        name = f"prompt {int(place) + 1} of the class" if len(same) > 1 else min(same)
        effects[row["class"]][name] = float(row["effect"])
    return dict(effects)


def data_from(*, effects: Mapping[str, Mapping[str, float]]) -> PromptData:
    """effects[class][prompt]: recall with that prompt minus recall with the whole bank.

    Prompts are sorted by their mean effect, the most helpful first.
    """
    classes = natural(effects)
    prompts = list(dict.fromkeys(p for label in classes for p in effects[label]))
    table = np.array(
        [[effects[label].get(p, np.nan) for p in prompts] for label in classes], float
    ).reshape(len(classes), len(prompts))
    if not prompts:
        return PromptData(classes, [], table)
    order = np.argsort(-np.nanmean(table, axis=0), kind="stable")
    return PromptData(classes, [prompts[i] for i in order], table[:, order])


def size(data: PromptData) -> tuple[float, float]:
    """Width and height in inches."""
    return WIDTH, 1.9 + 0.22 * max(3, len(data.classes))


def draw(data: PromptData, figure: Figure) -> None:
    """Blue helps, red harms; numbers in points."""
    if not data.prompts:
        return say_empty(figure, "No prompt was left out in turn.")
    most = max(0.05, float(np.nanmax(np.abs(data.effects))))
    colours = ScalarMappable(Normalize(-most, most), "RdBu")
    axes = figure.subplots()
    axes.pcolormesh(
        np.ma.masked_invalid(data.effects),
        norm=Normalize(-most, most),
        cmap="RdBu",
        edgecolors=LIGHT,
        linewidth=0.5,
    )
    _names(axes, data)
    if len(data.prompts) <= 16:
        _numbers(axes, data.effects, most)
    colour_bar(
        figure,
        axes,
        colours,
        "Change of recall (points)",
        format=lambda value, _: signed_points(value),
    )


def _names(axes: Axes, data: PromptData) -> None:
    """Classes on the left, prompts slanting on top."""
    places = np.arange(len(data.classes)) + 0.5
    axes.set_yticks(places, [short(name, 24) for name in data.classes])
    columns = np.arange(len(data.prompts)) + 0.5
    names = [short(prompt, 34) for prompt in data.prompts]
    axes.set_xticks(columns, names, rotation=40, ha="left", rotation_mode="anchor")
    axes.tick_params(length=0, labelbottom=False, labeltop=True)
    axes.set_ylim(len(data.classes), 0)
    axes.spines[:].set_visible(False)


def _numbers(axes: Axes, effects: np.ndarray, most: float) -> None:
    for row, column in np.argwhere(np.isfinite(effects)).tolist():
        value = effects[row, column]
        axes.text(
            column + 0.5,
            row + 0.52,
            signed_points(value),
            ha="center",
            va="center",
            fontsize=6,
            color=LIGHT if abs(value) > 0.6 * most else INK[:-1] + "7",
        )
