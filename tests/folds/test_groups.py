"""Groups are divided whole, in every protocol, and refused only where they must be."""

import numpy as np
import pyarrow as pa
import pytest
from bakeoff.errors import BakeoffError
from bakeoff.folds import make_folds, runs
from hypothesis import given, settings
from hypothesis import strategies as st

LABELS = np.array(["a"] * 40 + ["b"] * 21 + ["c"] * 10)
PROTOCOLS = {
    "kfold": {"kind": "kfold", "folds": 5, "repeats": 3},
    "holdout": {"kind": "holdout", "repeats": 4},
    "fewshot": {"kind": "fewshot", "shots": 3, "seeds": 4},
    "curve": {"kind": "curve", "fractions": [0.2, 0.6, 1.0], "seeds": 2},
}
# Groups of a class that each protocol asks for; few-shot asks for images.
LEAST = {"kfold": 5, "holdout": 2, "fewshot": 0, "curve": 2}
kinds = st.sampled_from(sorted(PROTOCOLS))


def check_whole(table: pa.Table, folds: dict) -> None:
    """Every run trains on images and tests others, none of them of one group."""
    ids, names = (table[column].to_pylist() for column in ("image_id", "group"))
    group = {i: i if g is None else g for i, g in zip(ids, names, strict=True)}
    found = list(runs(pa.table(folds)))
    assert found
    for run in found:
        train, test = ({group[i] for i in ids} for ids in (run.train_ids, run.test_ids))
        assert train and test and not train & test


@given(
    places=st.lists(st.integers(0, 7), min_size=71, max_size=71),
    kind=kinds,
    seed=st.integers(0, 5),
)
@settings(max_examples=40, deadline=None)
def test_groups_of_one_class_never_straddle_and_are_never_refused(
    manifest, places, kind, seed
):
    """Six groups of each class at least: enough for every protocol here."""
    rank = np.concatenate([np.arange(n) for n in (40, 21, 10)])
    number = np.where(rank < 6, rank, places)
    names = [f"{label}-{n}" for label, n in zip(LABELS, number, strict=True)]
    table = manifest(LABELS, groups=names)
    check_whole(table, make_folds(table, PROTOCOLS[kind], seed))


@given(
    groups=st.lists(st.integers(0, 14), min_size=71, max_size=71),
    kind=kinds,
    seed=st.integers(0, 5),
)
@settings(max_examples=40, deadline=None)
def test_groups_of_several_classes_never_straddle(manifest, groups, kind, seed):
    table = manifest(LABELS, groups=[f"fish-{g}" for g in groups])
    fewest = min(len(set(np.array(groups)[c == LABELS])) for c in "abc")
    try:
        folds = make_folds(table, PROTOCOLS[kind], seed)
    except BakeoffError as error:
        # No other reason than these: too few, or by chance all on one side.
        few = "classes with too few groups" in str(error) and fewest < LEAST[kind]
        chance = ("never trained on", "leaves no image to test")
        assert few or any(reason in str(error) for reason in chance), error
        return
    assert fewest >= LEAST[kind]
    check_whole(table, folds)


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_images_without_a_group_are_divided_one_by_one(manifest, kind):
    """Half of the images in groups of five, the others in none."""
    names = [f"g{i // 5}" if i % 10 < 5 else None for i in range(71)]
    table = manifest(LABELS, groups=names)
    folds = make_folds(table, PROTOCOLS[kind], 1)
    check_whole(table, folds)
    alone = np.array([name is None for name in names])
    first = folds["fold"][:71]
    assert len(set(first[alone])) > 1


def test_members_of_a_drawn_group_are_left_out_of_few_shot_tests(manifest):
    """Three shots of each class come from groups of two: the others of them are left."""
    names = [f"{label}{i // 2}" for i, label in enumerate(LABELS)]
    table = manifest(LABELS, groups=names)
    folds = make_folds(table, PROTOCOLS["fewshot"], 1)
    for fold in np.split(folds["fold"], 4):
        drawn = set(np.array(names)[fold == -1])
        partner = np.isin(names, list(drawn)) & (fold != -1)
        assert partner.any() and (fold[partner] == -2).all()
        assert (fold[~np.isin(names, list(drawn))] == 0).all()
