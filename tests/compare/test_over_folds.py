"""Comparisons over folds: the corrected t is primary, and its numbers by hand."""

import numpy as np
import pytest
from bakeoff.stats.multiplicity import holm
from bakeoff.verdict import sentence
from scipy import stats
from support.comparisons import METRIC_NAMES, primary, rows_of


def test_probe_over_folds_by_hand(folded):
    """A against b in plain pandas, from the predictions alone."""
    rows = rows_of(folded)
    right = {}
    for table in folded.tables:
        own = table.to_pandas()
        hit = (own["y_true"].astype(str) == own["y_pred"].astype(str)).astype(float)
        right[own["encoder"].iloc[0]] = hit.groupby(
            [own["repeat"], own["image_id"].astype(str)]
        ).sum()
    d = (right["a"] - right["b"]).unstack()
    sizes = np.unique_counts(
        np.array(folded.folds.column("repeat")) * 4 + folded.folds.column("fold")
    ).counts
    reuse = np.mean(203 / (203 - sizes))
    a = np.mean(d.var(axis=1) / 203)
    error = np.sqrt(a * (1 / 3 + reuse) + d.mean(axis=1).var())
    mean, half = d.to_numpy().mean(), stats.t.isf(0.025, 202) * error
    row = rows[
        (rows["a"] == "a")
        & (rows["b"] == "b")
        & (rows["metric"] == "accuracy")
        & rows["primary"]
    ].iloc[0]
    assert row["test"] == "corrected_t"
    assert (row["n"], row["images"], row["df"]) == (203, 203, 202)
    for name, value in (
        ("estimate", mean),
        ("ci_low", mean - half),
        ("ci_high", mean + half),
        ("p", 2 * stats.t.sf(mean / error, 202)),
        ("p_better", stats.t.sf(0.01, 202, mean, error)),
        ("p_worse", stats.t.cdf(-0.01, 202, mean, error)),
    ):
        assert row[name] == pytest.approx(value, rel=1e-9), name
    assert row["verdict"] == "better"


def test_the_value_tested_is_the_value_printed(folded):
    """Of every metric: the estimate is the difference of the values over all repeats."""
    table = folded.metrics.to_pandas()
    whole = table[(table["repeat"] == -1) & (table["fold"] == -1)]
    printed = whole.set_index(["encoder", "class", "metric"])["value"]
    rows = rows_of(folded, metric_names=[*METRIC_NAMES, "macro_f1", "mae", "within_1"])
    assert len(rows[rows["primary"]]) == 3 * (8 + 4)
    for row in rows[rows["primary"]].itertuples():
        own = rows.loc[row.Index]
        a, b = (printed[e, own["class"], row.metric] for e in (row.a, row.b))
        gap = abs(a) - abs(b) if row.metric == "bias" else a - b
        assert row.estimate == pytest.approx(gap, abs=1e-12), row.metric


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
    published = rows[rows["test"] == "nadeau_bengio"]
    assert len(naive) == len(published) == 3 * len(METRIC_NAMES)
    assert not published["primary"].any()
    assert not naive["primary"].any()
    assert (naive["verdict"] == "").all()
    assert naive["note"].str.contains("independent").all()


def test_lower_error_is_better(folded):
    row = rows_of(folded)
    row = row[(row["metric"] == "rmse") & (row["b"] == "b") & row["primary"]].iloc[0]
    assert row["estimate"] < 0
    assert row["p_better"] > 0.9
    assert row["p"] < 0.05


def test_two_encoders_that_are_always_right_are_not_called_equivalent(study):
    made = study(203, kind="kfold", folds=4, repeats=3)
    for encoder, right in (("a", 1), ("b", 1), ("c", 0.5)):
        made.predict(encoder, right, 1)
    rows = rows_of(made, metric_names=["accuracy"])
    wanted = rows["primary"] & (rows["class"] == "")
    verdicts = {(r.a, r.b): r for r in rows[wanted].itertuples()}
    same = verdicts["a", "b"]
    assert same.verdict == "inconclusive" and np.isnan([same.p, same.ci_low]).all()
    assert "all images differ by the same amount" in same.note
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


def test_one_grouped_pair_is_not_all_groups(study):
    """Interval: as without groups where two images share one, wider where all do."""
    made = study(200, groups=True, kind="kfold", folds=4, repeats=3)
    made.predict("a", 0.8, 1)
    made.predict("b", 0.4, 2)
    none = dict.fromkeys(made.ids.tolist())
    pair = none | dict.fromkeys(made.ids[:2].tolist(), "pair")
    halves, counted = {}, {}
    for name, groups in (("none", none), ("pair", pair), ("all", made.groups)):
        row = primary(rows_of(made, groups=groups))
        halves[name], counted[name] = row["ci_high"] - row["estimate"], row["n"]
    assert counted == {"none": 200, "pair": 199, "all": 40}
    assert halves["pair"] == pytest.approx(halves["none"], rel=0.03)


def test_few_shot_draws_are_crossed_with_their_test_images(study):
    made = study(300, kind="fewshot", shots=5, seeds=6)
    for encoder, right, seed in (("a", 0.8, 1), ("b", 0.6, 2)):
        made.predict(encoder, right, seed)
    row = primary(rows_of(made))
    assert row["test"] == "crossed_t"
    assert "6 draws, each of 6.67 % of its pool" in row["note"]
    assert row["ci_high"] - row["ci_low"] < 0.4


def test_few_shot_draws_on_given_test_images(study):
    """One shot of many images: before, an interval wider than accuracy can be."""
    made = study(300, kind="split")
    made.folds = made._folds({"kind": "fewshot", "shots": 1, "seeds": 8})
    for encoder, right, seed in (("a", 0.8, 1), ("b", 0.6, 2)):
        made.predict(encoder, right, seed)
    row = primary(rows_of(made))
    assert row["test"] == "crossed_t"
    before = rows_of(made)
    assert not (before["test"] == "nadeau_bengio").any()
    assert row["ci_high"] - row["ci_low"] < 0.4


def test_repeated_hold_out_counts_its_units(study):
    made = study(200, groups=True, kind="holdout", test=0.2, repeats=30)
    made.predict("a", 0.8, 1)
    made.predict("b", 0.7, 2)
    row = primary(rows_of(made, groups=made.groups))
    assert (row["test"], row["n"], row["df"]) == ("corrected_t", 40, 39)
    printed = made.metrics.to_pandas()
    whole = printed[(printed["repeat"] == -1) & (printed["metric"] == "accuracy")]
    a, b = (whole.loc[whole["encoder"] == e, "value"].item() for e in ("a", "b"))
    assert row["estimate"] == pytest.approx(a - b, abs=1e-12)


def test_metrics_of_order_are_refused(study):
    made = study(120, kind="kfold", folds=4)
    for method in ("ridge", "zeroshot"):
        made.predict("a", 0.8, 1, method)
        made.predict("b", 0.6, 2, method)
    rows = rows_of(made, metric_names=["tau", "accuracy"])
    tau = rows[(rows["metric"] == "tau") & rows["primary"]].set_index("method")
    assert set(tau["verdict"]) == {"refused"}
    assert "no valid test is known over runs" in tau.loc["ridge", "note"]
    accuracy = rows[(rows["metric"] == "accuracy") & rows["primary"]]
    assert "refused" not in set(accuracy["verdict"])


def test_what_comes_from_a_regression_is_tested_at_its_bound(folded):
    """The made-up predictions are rounded numbers without scores: a regression's.

    Its distances are, its exact hits are not.
    """
    rows = rows_of(folded, metric_names=["accuracy", "within_1", "rmse", "qwk"])
    tests = rows[rows["primary"]].groupby("metric")["test"].unique()
    assert {metric: set(names) for metric, names in tests.items()} == {
        "accuracy": {"corrected_t"},
        "recall": {"corrected_t"},
        "within_1": {"bounded_t"},
        "rmse": {"bounded_t"},
        "qwk": {"bounded_t"},
    }
