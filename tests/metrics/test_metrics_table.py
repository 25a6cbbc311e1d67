"""The table of metrics: levels, counts, and contradictions that it refuses."""

import pytest
from bakeoff.errors import BakeoffError
from bakeoff.metrics import checks
from bakeoff.metrics.outcomes import outcomes
from bakeoff.metrics.table import metrics_rows
from bakeoff.tables import write_table

RUNS = {
    (0, 0): ([0, 1], ["a", "b"], ["a", "a"]),
    (0, 1): ([2, 3], ["a", "b"], ["a", "b"]),
    (1, 0): ([0, 2], ["a", "a"], ["a", "b"]),
    (1, 1): ([1, 3], ["b", "b"], ["a", "b"]),
}


def rows_of(columns):
    names = ("repeat", "fold", "class", "metric")
    keys = zip(*(columns[name] for name in names), strict=True)
    values = zip(
        *(columns[n] for n in ("value", "numerator", "denominator")), strict=True
    )
    return dict(zip(keys, values, strict=True))


def test_levels_by_hand(predictions, tmp_path):
    columns = metrics_rows(predictions(RUNS, ["a", "b"]), "study")
    write_table(tmp_path / "metrics.parquet", "metrics", columns)
    rows = rows_of(columns)
    assert rows[0, 0, "", "accuracy"] == (0.5, 1, 2)
    assert rows[0, 1, "", "accuracy"] == (1.0, 2, 2)
    assert rows[0, -1, "", "accuracy"] == (0.75, 3, 4)
    assert rows[1, -1, "", "accuracy"] == (0.5, 2, 4)
    assert rows[-1, -1, "", "accuracy"] == (0.625, 5, 8)
    # Repeat 0: recalls 1, 1/2; repeat 1: 1/2, 1/2.
    assert rows[0, -1, "", "macro_recall"][0] == 0.75
    assert rows[-1, -1, "", "macro_recall"][0] == 0.625


def test_per_class_rows_count_over_all_repeats(predictions):
    rows = rows_of(metrics_rows(predictions(RUNS, ["a", "b", "none"]), "s"))
    assert rows[-1, -1, "a", "recall"] == (0.75, 3, 4)
    assert rows[-1, -1, "a", "precision"] == (0.6, 3, 5)
    assert rows[-1, -1, "a", "f1"] == pytest.approx((6 / 9, 6, 9))
    assert rows[-1, -1, "b", "support"] == (2, 4, 2)
    value, above, below = rows[-1, -1, "none", "recall"]
    assert value != value and (above, below) == (0, 0)


def test_ordinal_metrics_only_for_ordinal_labels(predictions):
    runs = {(0, 0): ([0, 1], [2, 4], [2, 3])}
    ordinal = rows_of(
        metrics_rows(predictions(runs, ["2", "3", "4"], [2, 3, 4.0]), "s")
    )
    assert ordinal[0, 0, "", "within_1"] == (1.0, 2, 2)
    assert ordinal[0, 0, "", "bias"][0] == -0.5
    nominal = rows_of(metrics_rows(predictions(RUNS, ["a", "b"]), "s"))
    assert (0, 0, "", "bias") not in nominal


def test_a_learning_curve_has_no_mean_over_repeats(predictions):
    table = predictions(RUNS, ["a", "b"], design="curve")
    rows = rows_of(metrics_rows(table, "s"))
    assert (1, -1, "", "accuracy") in rows
    assert not [key for key in rows if key[0] == -1]


def test_an_image_scored_twice_is_refused(predictions):
    runs = {(0, 0): ([0, 1], "ab", "ab"), (0, 1): ([1, 2], "ba", "ba")}
    with pytest.raises(BakeoffError, match="1 images scored more than once"):
        metrics_rows(predictions(runs, ["a", "b"]), "s")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({(0, 0): ([0, 1], "ab", "ab")}, None),
        ({(0, 0): ([0, 2], "ab", "ab")}, "2 images or labels that differ"),
        ({(0, 0): ([0, 1], "aa", "ab")}, "1 images or labels that differ"),
    ],
)
def test_encoders_must_share_images_and_labels(predictions, other, message):
    first = outcomes(predictions({(0, 0): ([0, 1], "ab", "aa")}, ["a", "b"]))
    second = outcomes(predictions(other, ["a", "b"], encoder="f"))
    if message is None:
        checks.same_images([*first, *second])
        return
    with pytest.raises(BakeoffError, match=message):
        checks.same_images([*first, *second])


def test_accuracy_that_contradicts_macro_recall_is_refused(predictions):
    run = outcomes(predictions({(0, 0): ([0, 1], "ab", "aa")}, ["a", "b"]))[0]
    checks.counts_agree(run.outcomes, {"accuracy": 0.5, "macro_recall": 0.5}, "x")
    with pytest.raises(BakeoffError, match="macro recall, as all supports are equal"):
        checks.counts_agree(run.outcomes, {"accuracy": 0.5, "macro_recall": 0.6}, "x")
    with pytest.raises(BakeoffError, match=r"hits over images = 0\.5"):
        checks.counts_agree(run.outcomes, {"accuracy": 0.6, "macro_recall": 0.6}, "x")


def test_labels_outside_the_classes_are_refused(predictions):
    with pytest.raises(BakeoffError, match="labels \\['b'\\]"):
        metrics_rows(predictions(RUNS, ["a", "c"]), "s")
