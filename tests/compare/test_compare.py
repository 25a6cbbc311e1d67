"""From predictions to comparisons: designs, orders, refusals, errors, sentences."""

import numpy as np
import pandas as pd
import pytest
from bakeoff.compare.pairs import compare
from bakeoff.compare.symmetry import symmetry
from bakeoff.errors import BakeoffError
from bakeoff.metrics.definitions import METRICS
from bakeoff.tables import read_table
from bakeoff.verdict import sentence, summary_verdict
from support.comparisons import METRIC_NAMES, primary, rows_of


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


def test_the_order_of_tables_changes_nothing(folded):
    rows = rows_of(folded)
    folded.tables.reverse()
    pd.testing.assert_frame_equal(rows, rows_of(folded))


def test_pairs_follow_the_order_that_is_asked_for(folded):
    rows = rows_of(folded, encoders=["c", "a", "b"])
    first = rows[(rows["metric"] == "accuracy") & rows["primary"]]
    pairs = dict.fromkeys(zip(first["a"], first["b"], strict=True))
    assert list(pairs) == [("c", "a"), ("c", "b"), ("a", "b")]


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
