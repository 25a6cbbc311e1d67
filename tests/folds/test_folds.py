"""Folds are stratified, whole, repeatable and the same whatever the order of rows."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from bakeoff.errors import BakeoffError
from bakeoff.folds import make_folds, runs
from bakeoff.tables import write_table

LABELS = ["a"] * 40 + ["b"] * 21 + ["c"] * 10
PROTOCOLS = {
    "kfold": {"kind": "kfold", "folds": 5, "repeats": 3},
    "holdout": {"kind": "holdout", "repeats": 4},
    "fewshot": {"kind": "fewshot", "shots": 3, "seeds": 4},
    "curve": {"kind": "curve", "fractions": [0.2, 0.6, 1.0], "seeds": 2},
}


def by_repeat(columns):
    repeat, fold = np.asarray(columns["repeat"]), np.asarray(columns["fold"])
    return [fold[repeat == r] for r in np.unique(repeat)]


def counts(labels, chosen):
    return Counter(np.array(labels)[chosen].tolist())


def test_kfold_divides_every_class_evenly_and_tests_each_image_once(manifest):
    columns = make_folds(manifest(LABELS), PROTOCOLS["kfold"], 1)
    for fold in by_repeat(columns):
        assert sorted(set(fold)) == [0, 1, 2, 3, 4]
        for k in range(5):
            assert counts(LABELS, fold == k)["a"] == 8
            assert counts(LABELS, fold == k)["b"] in (4, 5)
            assert counts(LABELS, fold == k)["c"] == 2


@pytest.mark.parametrize("kind", ["kfold", "holdout", "fewshot"])
def test_repeats_differ_and_seeds_differ(manifest, kind):
    first, second, third, *_ = by_repeat(
        make_folds(manifest(LABELS), PROTOCOLS[kind], 1)
    )
    other = by_repeat(make_folds(manifest(LABELS), PROTOCOLS[kind], 2))[0]
    assert (first != second).any() and (second != third).any()
    assert (first != other).any()


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_row_order_does_not_matter_and_runs_repeat(manifest, kind):
    table = manifest(LABELS)
    shuffled = table.take(np.random.default_rng(0).permutation(len(LABELS)))
    a, b = (make_folds(t, PROTOCOLS[kind], 7) for t in (table, shuffled))
    assert all((a[name] == b[name]).all() for name in a)


def test_runs_name_their_images_in_order_whatever_the_order_of_rows(manifest):
    table = pa.table(make_folds(manifest(LABELS), PROTOCOLS["holdout"], 1))
    mixed = table.take(np.random.default_rng(0).permutation(len(table)))
    for a, b in zip(runs(table), runs(mixed), strict=True):
        assert a.train_ids.tolist() == b.train_ids.tolist() == sorted(a.train_ids)
        assert a.test_ids.tolist() == b.test_ids.tolist() == sorted(a.test_ids)


def test_runs_leave_out_what_is_left_out(manifest):
    table = make_folds(manifest(LABELS), PROTOCOLS["holdout"], 1)
    left_out = by_repeat(table)[0] == -2
    (run, *_) = runs(pa.table(table))
    names = table["image_id"][: len(LABELS)]
    assert left_out.any()
    assert not set(names[left_out]) & {*run.train_ids, *run.test_ids}


def test_holdout_sizes_and_stratification(manifest):
    labels = ["a"] * 600 + ["b"] * 300 + ["c"] * 100
    columns = make_folds(manifest(labels), {"kind": "holdout", "repeats": 3}, 1)
    for fold in by_repeat(columns):
        sizes = Counter(fold.tolist())
        assert sizes == {0: 200, -2: 150, -1: 650}
        test = counts(labels, fold == 0)
        assert abs(test["a"] - 120) <= 1 and abs(test["c"] - 20) <= 1


def test_fewshot_trains_on_exactly_the_shots(manifest):
    columns = make_folds(manifest(LABELS), PROTOCOLS["fewshot"], 1)
    for fold in by_repeat(columns):
        assert counts(LABELS, fold == -1) == {"a": 3, "b": 3, "c": 3}
        assert (fold == 0).sum() == len(LABELS) - 9


def test_fewshot_with_a_split_draws_from_train_and_tests_on_test(manifest):
    splits = ["train", "test"] * 35 + ["train"]
    columns = make_folds(
        manifest(LABELS, splits=splits), {"kind": "fewshot", "shots": 2}, 1
    )
    assert len(by_repeat(columns)) == 10
    for fold in by_repeat(columns):
        assert ((fold == 0) == (np.array(splits) == "test")).all()
        assert (fold == -1).sum() == 6


def test_curve_is_nested_and_tests_the_same_images_at_every_share(manifest):
    small, _, medium, _, whole, _ = by_repeat(
        make_folds(manifest(LABELS), PROTOCOLS["curve"], 1)
    )
    assert ((small == 0) == (whole == 0)).all()
    assert set(np.flatnonzero(small == -1)) < set(np.flatnonzero(medium == -1))
    assert set(np.flatnonzero(medium == -1)) < set(np.flatnonzero(whole == -1))
    assert not (whole == -2).any()
    assert set(counts(LABELS, small == -1)) == {"a", "b", "c"}


def test_the_smallest_share_holds_one_image_of_every_class(manifest):
    protocol = {"kind": "curve", "fractions": [0.001], "seeds": 3}
    for fold in by_repeat(make_folds(manifest(LABELS), protocol, 1)):
        assert counts(LABELS, fold == -1) == {"a": 1, "b": 1, "c": 1}


def test_split_follows_the_manifest(manifest):
    splits = ["train", "test"] * 35 + ["train"]
    columns = make_folds(manifest(LABELS, splits=splits), {"kind": "split"}, 1)
    assert columns["fold"].tolist() == [0 if s == "test" else -1 for s in splits]


def test_ignored_groups_are_divided(manifest):
    groups = ["one", "two", "three", "four", "five"] * 14 + ["one"]
    protocol = {"kind": "kfold", "folds": 5, "groups": "ignore"}
    fold = make_folds(manifest(LABELS, groups=groups), protocol, 1)["fold"]
    members = fold[np.array(groups) == "one"]
    assert len(set(members)) > 1


def test_classes_with_too_few_images_are_all_named(manifest):
    labels = ["a"] * 12 + ["b"] * 3 + ["c"] * 2
    with pytest.raises(BakeoffError, match=r"b \(3\), c \(2\)") as error:
        make_folds(manifest(labels), {"kind": "kfold", "folds": 10}, 1)
    assert "at least 10 images" in str(error.value)
    assert "clip" in error.value.remedy


def test_classes_with_too_few_groups_are_named(manifest):
    labels = ["a"] * 20 + ["b"] * 20
    groups = [f"g{i}" for i in range(20)] + ["h1", "h2"] * 10
    with pytest.raises(BakeoffError, match=r"too few groups: b \(2\)"):
        make_folds(manifest(labels, groups=groups), {"kind": "kfold", "folds": 5}, 1)


def test_a_split_that_divides_a_group_is_refused(manifest):
    table = manifest(
        ["a", "a", "b", "b"],
        groups=["g", "g", "h", "h"],
        splits=["train", "test", "train", "train"],
    )
    with pytest.raises(BakeoffError, match="divides 1 groups"):
        make_folds(table, {"kind": "split"}, 1)


def test_a_class_that_is_never_trained_on_is_refused(manifest):
    table = manifest(["a", "b", "c"], splits=["train", "train", "test"])
    with pytest.raises(BakeoffError, match=r"never trained on: c"):
        make_folds(table, {"kind": "split"}, 1)


def test_split_without_a_division_is_refused(manifest):
    with pytest.raises(BakeoffError, match="not divided"):
        make_folds(manifest(["a", "b"]), {"kind": "split"}, 1)


def test_split_of_test_images_alone_is_allowed_for_zero_shot(manifest):
    columns = make_folds(
        manifest(["a", "b"], splits=["test"] * 2), {"kind": "split"}, 1
    )
    assert columns["fold"].tolist() == [0, 0]


def test_runs_cover_every_image_once_per_repeat(manifest, tmp_path):
    table = manifest(LABELS)
    columns = make_folds(table, PROTOCOLS["kfold"], 1)
    write_table(tmp_path / "folds.parquet", "folds", columns)
    found = list(runs(pa.table(columns)))
    assert [(run.repeat, run.fold) for run in found[:6]] == [
        *((0, k) for k in range(5)),
        (1, 0),
    ]
    for r in range(3):
        tested = np.concatenate([x.test_ids for x in found if x.repeat == r])
        assert sorted(tested) == sorted(table["image_id"].to_pylist())
    for run in found:
        assert not set(run.train_ids) & set(run.test_ids)
        assert len(run.train_ids) + len(run.test_ids) == len(LABELS)
