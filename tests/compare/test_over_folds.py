"""Comparisons over folds: the corrected t is primary, and its numbers by hand."""

import numpy as np
import pytest
from bakeoff.stats.fold_tests import Runs, corrected_t, correlated_chances
from bakeoff.stats.multiplicity import holm
from bakeoff.verdict import sentence
from scipy import stats
from support.comparisons import METRIC_NAMES, primary, rows_of


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
