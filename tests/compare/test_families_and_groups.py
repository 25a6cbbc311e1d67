"""What belongs together: tests that are adjusted together, images of one group."""

import numpy as np
import pandas as pd
import pytest
from bakeoff.compare.rows import Question, Row, decide
from bakeoff.compare.symmetry import symmetry
from bakeoff.stats.multiplicity import holm
from bakeoff.stats.proportions import clustered_difference
from bakeoff.stats.result import Result
from support.comparisons import primary, rows_of


def test_each_method_is_adjusted_by_itself(study):
    made = study(120, kind="kfold", folds=4)
    for method in ("ridge", "zeroshot"):
        for encoder, right, seed in (("a", 0.8, 1), ("b", 0.7, 2), ("c", 0.6, 3)):
            made.predict(encoder, right, seed, method)
    rows = rows_of(made, metric_names=["accuracy"])
    rows = rows[rows["primary"] & (rows["class"] == "")]
    for _, family in rows.groupby("method"):
        expected = holm(family["p"].to_numpy())
        assert family["p_adjusted"].to_numpy() == pytest.approx(expected)


def test_five_by_two_needs_five_repeats_of_two(study):
    made = study(120, kind="kfold", folds=10)
    for encoder, right, seed in (("a", 0.8, 1), ("b", 0.7, 2)):
        made.predict(encoder, right, seed)
    assert "five_by_two_f" not in set(rows_of(made)["test"])


def test_images_without_a_group_are_units_of_their_own(study):
    """Half of 200 images in groups of five: 20 groups and 100 single images."""
    made = study(200, groups=True, kind="kfold", folds=4)
    for encoder, right, seed in (("a", 0.8, 1), ("b", 0.55, 2)):
        made.predict(encoder, right, seed, "zeroshot")
    groups = {i: g if k < 100 else None for k, (i, g) in enumerate(made.groups.items())}
    assert primary(rows_of(made, groups=groups))["n"] == 20 + 100


def test_images_without_a_group_do_not_straddle(study):
    made = study(200, groups=True, kind="kfold", folds=4)
    for encoder, right, seed in (("a", 0.8, 1), ("b", 0.55, 2)):
        made.predict(encoder, right, seed)
    groups = {i: g if k < 100 else None for k, (i, g) in enumerate(made.groups.items())}
    assert primary(rows_of(made, groups=groups))["test"] == "corrected_t"


def test_groups_of_one_image_each_are_no_groups(folded):
    single = rows_of(folded, groups={i: i for i in folded.ids.tolist()})
    accuracy = single[single["primary"] & (single["metric"] == "accuracy")]
    assert set(accuracy["df"]) == {11}


def test_the_cluster_test_by_hand(study):
    """The five images of a group lie far apart, and runs name their images by fold."""
    made = study(200, kind="kfold", folds=4)
    group = [f"g{i % 40}" for i in range(200)]
    right = []
    for encoder, chance, seed in (("a", 0.8, 1), ("b", 0.55, 2)):
        made.predict(encoder, chance, seed, "zeroshot")
        told = made.tables[-1].to_pandas().set_index("image_id").loc[made.ids]
        right.append((told["y_true"] == told["y_pred"]).to_numpy(float))
    expected = clustered_difference(right[0] - right[1], np.array(group))
    rows = rows_of(made, groups=dict(zip(made.ids.tolist(), group, strict=True)))
    rows = rows[(rows["test"] == "cluster_t") & (rows["class"] == "")]
    (row,) = rows[rows["metric"] == "accuracy"].to_dict("records")
    for name, value in (("ci_low", expected.low), ("p", expected.p)):
        assert row[name] == pytest.approx(value), name


def test_recall_of_a_class_is_over_the_images_that_are_of_it(study):
    made = study(40, kind="kfold", folds=4)
    run = {"repeat": np.zeros(40, int), "fold": np.asarray(made.folds["fold"])}
    for encoder, taken in (("a", 2), ("b", 6)):
        guess = made.truth.copy()
        guess[np.flatnonzero(made.truth == 0)[:taken]] = 3
        made.add(encoder, "zeroshot", np.arange(40), guess, run)
    rows = rows_of(made)
    by_class = rows[rows["class"] != ""].set_index("class")
    assert by_class["n"].to_list() == [10] * 4
    assert by_class.loc["1", "estimate"] == pytest.approx(0.4)
    assert by_class.loc["4", "estimate"] == 0


def test_symmetry_counts_each_image_once(study):
    made = study(200, kind="kfold", folds=4, repeats=3)
    made.predict("a", 0.6, 1)
    table = made.tables[0].to_pandas()
    first = table[table["repeat"] == 0]
    wrong = (first["y_true"].astype(str) != first["y_pred"].astype(str)).sum()
    rows = pd.DataFrame(symmetry(made.tables, "demo"))
    assert set(rows["n"]) == {wrong} and set(rows["images"]) == {200}


@pytest.mark.parametrize(
    ("low", "high", "p", "verdict"),
    [
        (-0.04, 0.04, 0.9, "equivalent"),
        (0.01, 0.04, 0.001, "equivalent"),
        (0.01, 0.20, 0.001, "better"),
        (-0.20, -0.01, 0.001, "worse"),
        (-0.20, 0.04, 0.5, "inconclusive"),
        (-0.04, 0.20, 0.5, "inconclusive"),
    ],
)
def test_equivalent_is_an_interval_within_the_band(low, high, p, verdict):
    question = Question("s", "m", "p", "accuracy", "", "a", "b", "higher", 0.05, 9)
    row = Row(question, "t", True, Result(9, (low + high) / 2, low, high, p=p), 0.95)
    decide([row])
    assert row.verdict == verdict
