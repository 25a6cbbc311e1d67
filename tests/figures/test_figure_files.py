"""Every figure as a file: drawn, the same bytes twice, whatever the names."""

import xml.etree.ElementTree as ET

import pytest
from bakeoff.figures import (
    accuracy,
    age_bias,
    confusion,
    forest,
    per_class,
    probabilities,
)
from bakeoff.figures.save import save_figure

HOSTILE = (
    "<script>alert(1)</script>",
    "$\\frac{1}{0}$",
    "a_b & c",
    "魚 Ødegård",
    "%s{}",
)


def all_figures(study, ordinal):
    a, b = (
        study.comparisons.column("a")[0].as_py(),
        study.comparisons.column("b")[0].as_py(),
    )
    yield accuracy, accuracy.data_from(metrics=study.metrics)
    yield confusion, confusion.data_from(predictions=study.predictions, method="ridge")
    yield forest, forest.data_from(comparisons=study.comparisons)
    yield probabilities, probabilities.data_from(comparisons=study.comparisons)
    yield (
        per_class,
        per_class.data_from(
            comparisons=study.comparisons,
            metrics=study.metrics,
            a=a,
            b=b,
            method="ridge",
        ),
    )
    if ordinal:
        yield age_bias, age_bias.data_from(predictions=study.predictions)


def written(module, data, folder, suffix=".svg"):
    path = folder / f"figure{suffix}"
    save_figure(module.draw, data, module.size(data), path)
    return path.read_bytes()


def test_same_data_same_bytes(otoliths, tmp_path):
    for module, data in all_figures(otoliths, ordinal=True):
        first, second = (written(module, data, tmp_path) for _ in range(2))
        assert first == second, module.__name__
        ET.fromstring(first)
        assert b"dc:date" not in first


def test_pictures_too_are_the_same_twice(activities, tmp_path):
    data = accuracy.data_from(metrics=activities.metrics)
    first, second = (written(accuracy, data, tmp_path, ".png") for _ in range(2))
    assert first == second
    assert first.startswith(b"\x89PNG")


@pytest.mark.filterwarnings("ignore:Glyph")
def test_hostile_names_are_drawn_as_they_are(make, tmp_path):
    study = make(classes=HOSTILE, encoders=HOSTILE[:2], per_class=4, repeats=1)
    for module, data in all_figures(study, ordinal=False):
        svg = written(module, data, tmp_path)
        ET.fromstring(svg)
        assert b"<script" not in svg


@pytest.mark.parametrize("module", [accuracy, confusion, forest, probabilities])
def test_nothing_to_draw_is_said_in_words(module, activities, tmp_path):
    empty = {
        accuracy: lambda: accuracy.data_from(metrics=activities.metrics.slice(0, 0)),
        confusion: lambda: confusion.data_from(
            predictions=activities.predictions, method="none"
        ),
        forest: lambda: forest.data_from(
            comparisons=activities.comparisons, metrics=[]
        ),
        probabilities: lambda: probabilities.data_from(
            comparisons=activities.comparisons, metric="none"
        ),
    }[module]()
    svg = written(module, empty, tmp_path)
    assert len(svg) > 2000
