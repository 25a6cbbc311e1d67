"""What the figures show: known numbers first, then rules that hold for any table."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from bakeoff.figures import (
    accuracy,
    age_bias,
    confusion,
    forest,
    per_class,
    probabilities,
)
from bakeoff.figures.frames import natural, setting_names
from bakeoff.figures.pairs import primary_pairs, printed_p
from bakeoff.figures.style import looks, short
from bakeoff.figures.units import unit_of
from matplotlib.figure import Figure


def predictions(y_true, y_pred, y_raw=None, encoder="e"):
    n = len(y_true)
    return pa.table(
        {
            "image_id": [str(i) for i in range(n)],
            "y_true": y_true,
            "y_pred": y_pred,
            "y_raw": pa.array(y_raw if y_raw else [None] * n, pa.float64()),
            "encoder": [encoder] * n,
            "method": ["ridge"] * n,
            "protocol": ["cv"] * n,
            "repeat": [0] * n,
        }
    )


def metric_rows(values, *, denominator=None, metric="accuracy"):
    """values: list of (repeat, fold, value)."""
    n = len(values)
    return pa.table(
        {
            "study": ["s"] * n, "encoder": ["e"] * n, "method": ["ridge"] * n,
            "protocol": ["cv"] * n, "class": [""] * n, "metric": [metric] * n,
            "repeat": [r for r, _, _ in values], "fold": [f for _, f, _ in values],
            "value": [v for _, _, v in values],
            "numerator": pa.array(
                [v * denominator if denominator else None for _, _, v in values],
                pa.float64(),
            ),
            "denominator": pa.array([denominator] * n, pa.float64()),
        }
    )  # fmt: skip


def test_accuracy_interval_is_wilsons():
    # 81 of 263: Newcombe (1998), Statistics in Medicine 17:857, case (a), method 3.
    data = accuracy.data_from(
        metrics=metric_rows([(-1, -1, 81 / 263)], denominator=263)
    )
    bar = data.bars["ridge"]["e"]
    assert (round(bar.low, 4), round(bar.high, 4)) == (0.2553, 0.3662)


def test_repeats_do_not_narrow_the_interval():
    one = metric_rows([(-1, -1, 0.8), (0, -1, 0.8)], denominator=100)
    ten = metric_rows(
        [(-1, -1, 0.8), *((r, -1, 0.8) for r in range(10))], denominator=100
    )
    bars = [accuracy.data_from(metrics=t).bars["ridge"]["e"] for t in (one, ten)]
    assert bars[0].low == bars[1].low


def test_metric_without_counts_has_no_interval():
    data = accuracy.data_from(
        metrics=metric_rows([(-1, -1, 0.84)], metric="rmse"), metric="rmse"
    )
    assert data.bars["ridge"]["e"].value == 0.84
    assert np.isnan(data.bars["ridge"]["e"].low)


@pytest.mark.parametrize(("metric", "best"), [("accuracy", "good"), ("rmse", "bad")])
def test_best_encoder_comes_first_whichever_way_is_better(metric, best):
    rows = [metric_rows([(-1, -1, v)], metric=metric).to_pydict() for v in (0.9, 0.4)]
    for row, name in zip(rows, ("good", "bad"), strict=True):
        row["encoder"] = [name]
    merged = {key: rows[0][key] + rows[1][key] for key in rows[0]}
    data = accuracy.data_from(metrics=pa.table(merged), metric=metric)
    assert data.order[0] == best


def test_confusion_rows_are_shares_of_the_true_class():
    table = predictions(["a", "a", "a", "b"], ["a", "b", "b", "b"])
    data = confusion.data_from(predictions=[table])
    np.testing.assert_allclose(data.shares["e"], [[1 / 3, 2 / 3], [0, 1]])


def test_class_without_images_is_blank_not_zero():
    table = predictions(["a"], ["b"])
    data = confusion.data_from(predictions=[table])
    assert np.isnan(data.shares["e"][1]).all()


def test_one_figure_never_mixes_settings(activities):
    with pytest.raises(ValueError, match="one setting expected"):
        confusion.data_from(predictions=activities.predictions)


def test_age_bias_by_hand():
    table = predictions(["2"] * 3 + ["3"] * 2, ["2"] * 5, [1.0, 2.0, 3.0, 3.0, 4.0])
    rows = age_bias.data_from(predictions=[table]).rows["e"]
    # Three values 1, 2, 3: mean 2, standard error 1 / sqrt(3), t(2) = 4.3027.
    assert rows["mean"].tolist() == [2.0, 3.5]
    assert rows["high"][0] == pytest.approx(2 + 4.30265 / np.sqrt(3), abs=1e-4)
    assert np.isnan(rows["low"][1])  # two images give no interval
    assert rows["n"].tolist() == [3, 2]


def test_age_bias_counts_an_image_once():
    table = predictions(["2"] * 3, ["2"] * 3, [1.0, 2.0, 3.0])
    second = table.set_column(7, "repeat", pa.array([1] * 3))
    once, twice = (
        age_bias.data_from(predictions=t).rows["e"] for t in ([table], [table, second])
    )
    assert once.equals(twice)


def test_age_bias_falls_back_on_labels_without_raw_predictions():
    table = predictions(["2", "2", "2"], ["3", "3", "3"])
    assert age_bias.data_from(predictions=[table]).rows["e"]["mean"].tolist() == [3.0]


def test_forest_shows_the_primary_rows_as_they_are(activities):
    data = forest.data_from(comparisons=activities.comparisons)
    stored = activities.comparisons.to_pylist()
    primary = [r for r in stored if r["primary"] and r["class"] == ""]
    shown = [row["accuracy"] for row in data.cells.values()]
    assert len(shown) == len(primary) == 6
    key = {(r["method"], r["a"], r["b"]): r for r in primary}
    for pair in shown:
        row = key[pair.setting, pair.a, pair.b]
        assert (pair.estimate, pair.low, pair.high, pair.verdict) == (
            row["estimate"], row["ci_low"], row["ci_high"], row["verdict"],
        )  # fmt: skip


def test_reference_turns_pairs_and_verdicts(activities):
    reference = activities.comparisons.column("a").to_pylist()[0]
    plain = primary_pairs(activities.comparisons)[0]
    turned = primary_pairs(activities.comparisons, reference=reference)[0]
    assert (turned.a, turned.b) == (plain.b, reference)
    assert (turned.estimate, turned.low) == (-plain.estimate, -plain.high)
    assert (plain.verdict, turned.verdict) == ("better", "worse")
    assert (turned.p_better, turned.p_worse) == (plain.p_worse, plain.p_better)


def with_column(table, name, value):
    column = pa.array([value] * table.num_rows).cast(table.schema.field(name).type)
    return table.set_column(table.schema.get_field_index(name), name, column)


def test_every_compared_metric_has_its_band_drawn(activities):
    """The bands of the table, though the configuration names none."""
    table = with_column(activities.comparisons, "band", 0.02)
    data = forest.data_from(comparisons=table)
    figure = Figure()
    forest.draw(data, figure)
    widths = [[patch.get_width() for patch in axes.patches] for axes in figure.axes]
    scales = [unit_of(metric).scale for metric in data.metrics]
    assert widths == [[pytest.approx(2 * 0.02 * scale)] for scale in scales]


def test_shares_of_bootstrap_samples_are_called_so(activities):
    for test, words in {
        "mcnemar_midp": "shares of bootstrap samples",
        "corrected_t": "probabilities",
    }.items():
        table = with_column(activities.comparisons, "test", test)
        figure = Figure()
        probabilities.draw(probabilities.data_from(comparisons=table), figure)
        assert all(axes.get_title().endswith(words) for axes in figure.axes)


def test_pairs_with_the_control_are_left_out_while_others_remain(activities):
    table = activities.comparisons
    every = primary_pairs(table, method="ridge")
    control = every[0].a
    left = primary_pairs(table, method="ridge", control=control)
    assert left == [pair for pair in every if control not in (pair.a, pair.b)]
    assert 0 < len(left) < len(every)
    alone = table.filter(pa.array([r["a"] == control for r in table.to_pylist()]))
    assert len(primary_pairs(alone, method="ridge", control=control)) == 2


def test_one_run_is_chosen_and_keeps_its_name(activities):
    data = forest.data_from(
        comparisons=activities.comparisons, method="ridge", protocol="cv5"
    )
    assert {setting for setting, _, _ in data.cells} == {"ridge"}
    none = forest.data_from(comparisons=activities.comparisons, protocol="other")
    assert none.cells == {}


def test_probabilities_add_up(activities):
    data = probabilities.data_from(comparisons=activities.comparisons)
    for pairs in data.pairs.values():
        for pair in pairs:
            total = pair.p_better + pair.p_equivalent + pair.p_worse
            assert total == pytest.approx(1)


def test_classes_are_sorted_by_difference(activities):
    a, b = "siglip2-so400m-14-378", "clip-vit-b-32+har-xbm"
    choice = {
        "comparisons": activities.comparisons,
        "metrics": activities.metrics,
        "method": "ridge",
    }
    forward = per_class.data_from(a=a, b=b, **choice)
    backward = per_class.data_from(a=b, b=a, **choice)
    gaps = [row.estimate for row in forward.rows]
    assert gaps == sorted(gaps, reverse=True)
    assert len(gaps) == 15
    labels, counts = np.unique(
        activities.manifest.column("label").to_pylist(), return_counts=True
    )
    assert forward.images == dict(zip(labels, counts, strict=True))
    assert {r.label: r.estimate for r in forward.rows} == {
        r.label: -r.estimate for r in backward.rows
    }


def test_looks_stay_with_the_place_and_differ():
    names = [f"e{i}" for i in range(49)]
    every = looks(names)
    assert len(set(every.values())) == 49
    assert looks(names[:3]) == {name: every[name] for name in names[:3]}


def test_words():
    assert natural(["10", "9", "b", "A"]) == ["9", "10", "A", "b"]
    assert short("abcdefghij", 7) == "abc…hij"
    assert short("$x$") == r"\$x\$"
    assert setting_names([("a", "p"), ("b", "p"), ("b", "q")]) == {
        ("a", "p"): "a",
        ("b", "p"): "b on p",
        ("b", "q"): "b on q",
    }
    assert [printed_p(p) for p in (0.0001, 0.0273, 1.0)] == [
        "p < 0.001",
        "p = 0.027",
        "p = 1.000",
    ]
    assert unit_of("accuracy").axis() == "Accuracy (%)"
    assert unit_of("rmse").difference_axis() == "Difference in RMSE"


def test_many_pairs_are_shown_against_one_encoder(make):
    names = tuple(f"e{i:02d}" for i in range(11))
    study = make(encoders=names, classes=("a", "b"), methods=("ridge",), repeats=1)
    pairs = primary_pairs(study.comparisons)
    assert [pair.a for pair in pairs] == list(names[1:])
    assert {pair.b for pair in pairs} == {"e00"}
    assert len(study.comparisons.filter(pc.field("class") == "")) == 2 * 55
