"""From predictions to comparisons: which test is primary, and its numbers by hand."""

import numpy as np
import pandas as pd
import pytest
from bakeoff.compare.pairs import compare
from bakeoff.compare.symmetry import symmetry
from bakeoff.errors import BakeoffError
from bakeoff.metrics.definitions import METRICS
from bakeoff.stats import resampling
from bakeoff.stats.fold_tests import Runs, corrected_t, correlated_chances
from bakeoff.stats.multiplicity import holm
from bakeoff.stats.proportions import mcnemar_midp, tango
from bakeoff.tables import read_table, write_table
from bakeoff.verdict import sentence, summary_verdict
from scipy import stats

METRIC_NAMES = ["accuracy", "macro_recall", "rmse", "bias", "qwk"]


def rows_of(study, **settings) -> pd.DataFrame:
    settings = {"metric_names": METRIC_NAMES, "replicates": 500} | settings
    columns = compare(
        study.tables, study.metrics, {"p": study.folds}, study="demo", **settings
    )
    write_table(study.folder / "comparisons.parquet", "comparisons", columns)
    return pd.DataFrame(columns)


def primary(rows: pd.DataFrame, metric: str = "accuracy") -> pd.Series:
    (row,) = rows[rows["primary"] & (rows["metric"] == metric)].to_dict("records")
    return pd.Series(row)


@pytest.fixture
def folded(study):
    """Three probes over 3 x 4 folds of 203 images."""
    made = study(203, kind="kfold", folds=4, repeats=3)
    for encoder, right, seed in (("a", 0.8, 1), ("b", 0.4, 2), ("c", 0.8, 3)):
        made.predict(encoder, right, seed)
    return made


@pytest.fixture
def fixed(study):
    """Two encoders without training on 203 images."""
    made = study(203, kind="kfold", folds=4, repeats=3)
    made.predict("a", 0.8, 1, "zeroshot")
    made.predict("b", 0.55, 2, "zeroshot")
    return made


def test_probe_over_folds_by_hand(folded):
    rows = rows_of(folded)
    table = folded.metrics.to_pandas()
    own = table[(table["metric"] == "accuracy") & (table["fold"] >= 0)]
    by_run = own.pivot(index=["repeat", "fold"], columns="encoder", values="value")
    d = (by_run["a"] - by_run["b"]).to_numpy()
    sizes = np.unique_counts(
        np.array(folded.folds.column("repeat")) * 4 + folded.folds.column("fold")
    ).counts
    ratio = np.mean(sizes / (203 - sizes))
    runs = Runs(d, ratio, by_run.index.get_level_values("repeat").to_numpy())
    expected, chances = corrected_t(runs), correlated_chances(runs, 0.01)
    row = rows[
        (rows["a"] == "a")
        & (rows["b"] == "b")
        & (rows["metric"] == "accuracy")
        & rows["primary"]
    ].iloc[0]
    assert row["test"] == "corrected_t"
    assert (row["n"], row["images"], row["df"]) == (12, 203, 11)
    for name, value in (
        ("estimate", expected.estimate),
        ("ci_low", expected.low),
        ("ci_high", expected.high),
        ("p", expected.p),
        ("p_better", chances.above),
        ("p_equivalent", chances.inside),
        ("p_worse", chances.below),
    ):
        assert row[name] == pytest.approx(value, rel=1e-12), name
    assert row["verdict"] == "better"


def test_holm_runs_over_the_pairs_of_a_metric(folded):
    rows = rows_of(folded)
    for metric in METRIC_NAMES:
        family = rows[rows["primary"] & (rows["metric"] == metric)]
        assert len(family) == 3
        assert family["p_adjusted"].to_numpy() == pytest.approx(
            holm(family["p"].to_numpy())
        )


def test_holm_runs_over_the_classes_of_a_pair(folded):
    rows = rows_of(folded)
    by_class = rows[rows["class"] != ""]
    assert set(by_class["metric"]) == {"recall"}
    for _, family in by_class.groupby(["a", "b"]):
        assert len(family) == 4
        assert family["p_adjusted"].to_numpy() == pytest.approx(
            holm(family["p"].to_numpy())
        )


def test_naive_t_is_shown_and_never_primary(folded):
    rows = rows_of(folded)
    naive = rows[rows["test"] == "paired_t"]
    assert len(naive) == 3 * len(METRIC_NAMES)
    assert not naive["primary"].any()
    assert (naive["verdict"] == "").all()
    assert naive["note"].str.contains("independent").all()


def test_lower_error_is_better(folded):
    row = rows_of(folded)
    row = row[(row["metric"] == "rmse") & (row["b"] == "b") & row["primary"]].iloc[0]
    assert row["estimate"] < 0
    assert row["p_better"] > 0.9
    assert row["verdict"] == "better"


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
        assert row["test"] == "sign_flip"
        assert row["ci_low"] <= row["estimate"] <= row["ci_high"]
        assert row["p_better"] + row["p_equivalent"] + row["p_worse"] == pytest.approx(
            1
        )
        assert row["detectable"] > 0
    assert set(rows[rows["test"] == "jackknife"]["metric"]) == {"macro_recall", "qwk"}


def test_two_encoders_that_are_always_right_are_not_called_equivalent(study):
    made = study(203, kind="kfold", folds=4, repeats=3)
    for encoder, right in (("a", 1), ("b", 1), ("c", 0.5)):
        made.predict(encoder, right, 1)
    rows = rows_of(made, metric_names=["accuracy"])
    wanted = rows["primary"] & (rows["class"] == "")
    verdicts = {(r.a, r.b): r for r in rows[wanted].itertuples()}
    same = verdicts["a", "b"]
    assert same.verdict == "inconclusive" and np.isnan([same.p, same.ci_low]).all()
    assert "all runs differ alike" in same.note
    told = sentence(same._asdict() | {"class": ""})
    assert told.startswith("Inconclusive: a is level with b in accuracy")
    # It takes no part in the adjustment of the others.
    assert verdicts["a", "c"].p_adjusted == pytest.approx(2 * verdicts["a", "c"].p)


def test_bias_is_compared_by_its_distance_from_zero(study):
    """Both are wrong by one year on 40 images, a to both sides, b to one."""
    made = study(200, kind="kfold", folds=4)
    image = np.arange(200)
    run = {
        "repeat": np.zeros(200, int),
        "fold": np.asarray(made.folds.column("fold")),
    }
    middle = np.flatnonzero((made.truth == 1) | (made.truth == 2))[:40]
    for encoder, step in (("a", np.resize([1, -1], 40)), ("b", -1)):
        guess = made.truth.copy()
        guess[middle] += step
        made.add(encoder, "zeroshot", image, guess, run)
    row = primary(rows_of(made), "bias")
    assert row["estimate"] == pytest.approx(0 - 0.2)
    assert row["verdict"] == "better"


def test_same_predictions_leave_nothing_to_estimate(study):
    made = study(40, kind="kfold", folds=4)
    for encoder in ("a", "b"):
        made.predict(encoder, 0.8, 1, "zeroshot")
    rows = rows_of(made)
    assert primary(rows, "rmse")["verdict"] == "inconclusive"
    assert "agree on every image" in primary(rows, "rmse")["note"]
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
    assert (row["test"], row["n"], row["images"]) == ("cluster_sign_flip", 40, 200)
    image_level = rows[(rows["test"] == "mcnemar_midp") & (rows["class"] == "")]
    assert not image_level["primary"].any()
    assert image_level["note"].str.contains("no verdict").all()
    assert set(rows[rows["class"] != ""]["test"]) == {"cluster_t"}


def test_repeats_of_grouped_images_count_as_one(study):
    """The same estimate as without groups, with the 4 folds of one repeat for count.

    The spread of the 12 runs is taken from the interval of the naive row.
    """
    made = study(200, groups=True, kind="kfold", folds=4, repeats=3)
    made.predict("a", 0.8, 1)
    made.predict("b", 0.4, 2)
    rows = rows_of(made, groups=made.groups)
    grouped, naive = primary(rows), rows[rows["test"] == "paired_t"].iloc[0]
    single = primary(rows_of(made, groups=dict.fromkeys(made.ids.tolist())))
    assert (grouped["df"], single["df"]) == (3, 11)
    assert grouped["estimate"] == single["estimate"]
    assert "3 repeats count as one" in grouped["note"]
    assert "variance between the repeats added" in single["note"]
    half, narrow = (row["ci_high"] - row["estimate"] for row in (grouped, naive))
    spread = np.sqrt((1 / 4 + 1 / 3) / (1 / 12))
    expected = spread * stats.t.isf(0.025, 3) / stats.t.isf(0.025, 11)
    assert half / narrow == pytest.approx(expected, rel=1e-3)


def test_straddling_groups_are_refused(study):
    made = study(200, kind="kfold", folds=4)
    groups = {i: f"g{k // 5}" for k, i in enumerate(made.ids.tolist())}
    for encoder, seed in (("a", 1), ("b", 2)):
        made.predict(encoder, 0.7, seed)
        made.predict(encoder, 0.7, seed, "zeroshot")
    rows = rows_of(made, groups=groups)
    ridge, zero = (rows[rows["method"] == m] for m in ("ridge", "zeroshot"))
    assert set(ridge["verdict"]) == {"refused"}
    assert ridge["p"].isna().all()
    assert ridge["note"].str.contains("training and test at once").all()
    # Nothing was trained, so nothing leaked: unless the encoder itself was.
    assert "refused" not in set(zero["verdict"])
    tuned = rows_of(made, groups=groups, finetuned=["a"])
    assert set(tuned["verdict"]) == {"refused"}


def test_trained_once_is_a_fixed_set(study):
    made = study(203, kind="split")
    made.predict("a", 0.8, 1)
    made.predict("b", 0.5, 2)
    row = primary(rows_of(made))
    assert row["test"] == "mcnemar_midp"
    assert row["images"] < 203


def test_the_order_of_tables_changes_nothing(folded):
    rows = rows_of(folded)
    folded.tables.reverse()
    pd.testing.assert_frame_equal(rows, rows_of(folded))


def test_pairs_follow_the_order_that_is_asked_for(folded):
    rows = rows_of(folded, encoders=["c", "a", "b"])
    first = rows[(rows["metric"] == "accuracy") & rows["primary"]]
    pairs = dict.fromkeys(zip(first["a"], first["b"], strict=True))
    assert list(pairs) == [("c", "a"), ("c", "b"), ("a", "b")]


def test_a_third_encoder_leaves_p_of_the_pair_alone(fixed):
    before = primary(rows_of(fixed))["p"]
    fixed.predict("z", 0.6, 9, "zeroshot")
    rows = rows_of(fixed)
    pair = rows[(rows["b"] == "b") & rows["primary"] & (rows["metric"] == "accuracy")]
    assert pair["p"].item() == before
    assert pair["p_adjusted"].item() >= before


def test_swapping_names_swaps_the_verdict(study):
    made = study(203, kind="kfold", folds=4)
    made.predict("a", 0.55, 2, "zeroshot")
    made.predict("b", 0.8, 1, "zeroshot")
    row = primary(rows_of(made))
    assert row["verdict"] == "worse"
    assert row["p_worse"] > 0.9


def test_unknown_metrics_are_all_named(fixed):
    with pytest.raises(BakeoffError, match=r"\['acuracy', 'f2'\]"):
        rows_of(fixed, metric_names=["accuracy", "acuracy", "f2"])


def test_other_images_are_an_error(study):
    made = study(60, kind="kfold", folds=4)
    made.predict("a", 0.8, 1)
    image = np.arange(59)
    run = {"repeat": np.zeros(59, int), "fold": np.zeros(59, int)}
    made.add("b", "ridge", image, made.truth[:59], run)
    with pytest.raises(BakeoffError, match="differ between a and b"):
        rows_of(made)


def test_missing_folds_are_an_error(folded):
    with pytest.raises(BakeoffError, match="no division for the runs"):
        compare(
            folded.tables, folded.metrics, {}, study="demo", metric_names=["accuracy"]
        )


def test_symmetry_of_an_encoder_that_reads_too_old(study):
    made = study(200, kind="kfold", folds=4)
    run = {"repeat": np.zeros(200, int), "fold": np.zeros(200, int)}
    guess = made.truth.copy()
    guess[:20] = np.minimum(guess[:20] + 1, 3)
    made.add("a", "zeroshot", np.arange(200), guess, run)
    rows = pd.DataFrame(symmetry(made.tables, "demo"))
    moved = int((guess != made.truth).sum())
    hoenig = rows[rows["test"] == "evans_hoenig"].iloc[0]
    # All by one year, all upwards: moved^2 / moved on one degree of freedom.
    assert (hoenig["statistic"], hoenig["df"], hoenig["n"]) == (moved, 1, moved)
    assert hoenig["estimate"] == pytest.approx(moved / 200)
    assert hoenig["b"] == "reader"
    assert METRICS["bias"].better == "zero"


def test_a_lone_encoder_has_nobody_to_be_compared_with(study):
    made = study(60, kind="kfold", folds=4)
    for method in ("ridge", "zeroshot"):
        made.predict("a", 0.8, 1, method)
    assert len(rows_of(made)) == 0
    table = read_table(made.folder / "comparisons.parquet", "comparisons")
    assert summary_verdict(table, ["accuracy"])[0].startswith("No verdict")


def test_sentences_of_a_whole_study(folded):
    rows_of(folded)
    table = read_table(folded.folder / "comparisons.parquet", "comparisons")
    texts = summary_verdict(table, METRIC_NAMES, control="b")
    assert "these images cannot tell it from" in texts[0]
    assert "Every encoder beats the control b" in texts[1]
    for row in table.to_pylist():
        if row["primary"]:
            assert row["a"] in sentence(row)


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


def test_metrics_of_order_are_tested_over_folds_only(study):
    made = study(120, kind="kfold", folds=4)
    for method in ("ridge", "zeroshot"):
        made.predict("a", 0.8, 1, method)
        made.predict("b", 0.6, 2, method)
    rows = rows_of(made, metric_names=["tau", "accuracy"])
    tau = rows[(rows["metric"] == "tau") & rows["primary"]].set_index("method")
    assert tau.loc["ridge", "test"] == "corrected_t"
    assert tau.loc["zeroshot", "verdict"] == "refused"
    alone = rows_of(made, metric_names=["tau"])
    assert set(alone["metric"]) == {"tau", "recall"}
    accuracy = rows[(rows["metric"] == "accuracy") & rows["primary"]]
    assert "refused" not in set(accuracy["verdict"])


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
