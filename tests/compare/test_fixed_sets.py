"""Comparisons on one fixed test set: which test is primary, and its numbers by hand."""

import numpy as np
import pytest
from bakeoff.stats import resampling
from bakeoff.stats.proportions import mcnemar_midp, tango
from support.comparisons import primary, rows_of


def test_one_fixed_set_by_hand(fixed):
    rows = rows_of(fixed)
    a, b = (
        np.array(t.column("y_true").to_pylist())
        == np.array(t.column("y_pred").to_pylist())
        for t in fixed.tables
    )
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    row = primary(rows)
    assert row["test"] == "mcnemar_midp"
    assert row["n"] == row["images"] == 203
    assert row["estimate"] == pytest.approx((only_a - only_b) / 203)
    assert row["p"] == mcnemar_midp(only_a, only_b)
    assert (row["ci_low"], row["ci_high"]) == tango(only_a, only_b, 203)
    assert row["verdict"] == "better"
    exact, flip = (
        rows[(rows["test"] == t) & (rows["metric"] == "accuracy")].iloc[0]
        for t in ("mcnemar_exact", "sign_flip")
    )
    assert exact["p"] > row["p"]
    assert not flip["primary"]
    assert "paired_t" not in set(rows["test"])


def test_metrics_of_a_fixed_set_are_flipped_and_bootstrapped(fixed):
    rows = rows_of(fixed)
    for metric in ("macro_recall", "rmse", "bias", "qwk"):
        row = primary(rows, metric)
        assert row["test"] == "jackknife"
        assert (row["p"] <= 0.05) == (row["ci_low"] * row["ci_high"] > 0)
        assert row["ci_low"] <= row["estimate"] <= row["ci_high"]
        assert row["p_better"] + row["p_equivalent"] + row["p_worse"] == pytest.approx(
            1
        )
        assert row["detectable"] > 0
    assert not rows[rows["test"] == "sign_flip"]["primary"].any()


def test_same_predictions_leave_nothing_to_estimate(study):
    made = study(40, kind="kfold", folds=4)
    for encoder in ("a", "b"):
        made.predict(encoder, 0.8, 1, "zeroshot")
    rows = rows_of(made)
    assert primary(rows, "rmse")["verdict"] == "inconclusive"
    assert "do not differ from unit to unit" in primary(rows, "rmse")["note"]
    accuracy = primary(rows)
    assert accuracy["p"] == 1
    assert accuracy["ci_high"] > 0.05
    assert accuracy["verdict"] == "inconclusive"


def test_groups_make_the_cluster_test_primary(study):
    made = study(200, groups=True, kind="kfold", folds=4)
    made.predict("a", 0.8, 1, "zeroshot")
    made.predict("b", 0.55, 2, "zeroshot")
    rows = rows_of(made, groups=made.groups)
    row = primary(rows)
    assert (row["test"], row["n"], row["images"]) == ("jackknife", 40, 200)
    image_level = rows[(rows["test"] == "mcnemar_midp") & (rows["class"] == "")]
    assert not image_level["primary"].any()
    assert image_level["note"].str.contains("no verdict").all()
    assert set(rows[rows["class"] != ""]["test"]) == {"cluster_t"}


def test_trained_once_is_a_fixed_set(study):
    made = study(203, kind="split")
    made.predict("a", 0.8, 1)
    made.predict("b", 0.5, 2)
    row = primary(rows_of(made))
    assert row["test"] == "mcnemar_midp"
    assert row["images"] < 203


def test_a_third_encoder_leaves_p_of_the_pair_alone(fixed):
    before = primary(rows_of(fixed))["p"]
    fixed.predict("z", 0.6, 9, "zeroshot")
    rows = rows_of(fixed)
    pair = rows[(rows["b"] == "b") & rows["primary"] & (rows["metric"] == "accuracy")]
    assert pair["p"].item() == before
    assert pair["p_adjusted"].item() >= before


def test_a_class_without_errors_on_either_side_is_open(study):
    """Both have all images of a class right: nothing is known of what is not seen."""
    made = study(40, kind="kfold", folds=4)
    run = {"repeat": np.zeros(40, int), "fold": np.asarray(made.folds.column("fold"))}
    for encoder, wrong in (("a", 1), ("b", 5)):
        guess = made.truth.copy()
        guess[np.flatnonzero(made.truth == 1)[:wrong]] = 2
        made.add(encoder, "zeroshot", np.arange(40), guess, run)
    rows = rows_of(made)
    by_class = rows[rows["class"] != ""].set_index("class")
    assert by_class.loc["1", "verdict"] == "inconclusive"
    assert by_class.loc["1", "p"] == 1
    assert np.isnan(by_class.loc["1", "detectable"])
    assert by_class.loc["2", "estimate"] == pytest.approx(0.4)


def test_equal_images_taken_together_give_the_same_rows(fixed, monkeypatch):
    """As with very many images: the same tests, and numbers but for resampling."""
    apart = rows_of(fixed, replicates=4000)
    monkeypatch.setattr(resampling, "MANY_UNITS", 0)
    monkeypatch.setattr(resampling, "_MERGED_SHARE", 1.0)
    together = rows_of(fixed, replicates=4000)
    for name in ("test", "primary", "metric", "class", "n", "verdict", "note"):
        assert list(together[name]) == list(apart[name])
    by_formula = apart["test"].isin(["mcnemar_midp", "mcnemar_exact", "jackknife"])
    for name in ("estimate", "p", "ci_low", "ci_high", "detectable"):
        a, b = (rows[name].to_numpy(float) for rows in (apart, together))
        np.testing.assert_allclose(b[by_formula], a[by_formula], rtol=1e-9)
        np.testing.assert_allclose(b, a, rtol=0.05, atol=0.02)
    assert (apart["p"][~by_formula] != together["p"][~by_formula]).any()
