"""Prompt lab: it keeps what helps, on training images only."""

import numpy as np
import pyarrow as pa
import pytest
from bakeoff.errors import BakeoffError
from bakeoff.prompt_lab import Bank, choose, prompt_lab, read_texts
from bakeoff.prompt_views import hard_negatives, spread_of_prompts
from bakeoff.zeroshot import rank_vectors


def unit(x):
    x = np.asarray(x, float)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def vectors(x):
    flat = pa.array(np.asarray(x, np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, np.shape(x)[1])


# Class a lies along the first axis, b along the second; a's second prompt is a mistake.
TEXTS = pa.table(
    {
        "class": ["a", "a", "b"],
        "text": ["good a", "bad a", "good b"],
        "embedding": vectors([[1, 0], [-0.2, 1], [0, 1]]),
    }
)
ANGLES = np.radians([0, 10, 20, 50, 48, 75, 80, 90])
X = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
Y = np.array([0, 0, 0, 1, 1, 1, 1, 1])
NAMES = ["good a", "bad a", "good b"]


@pytest.fixture
def bank():
    return read_texts(TEXTS, ("a", "b"))


def test_the_prompt_that_misleads_is_dropped(bank):
    everything = np.ones(3, bool)
    assert ((X @ bank.heads(everything).T).argmax(axis=1) == Y).mean() < 1
    assert choose(bank, X, Y).tolist() == [True, False, True]


def test_what_gains_nothing_is_kept(bank):
    assert choose(bank, X[[0, 7]], Y[[0, 7]]).all()


def test_a_class_keeps_a_prompt():
    rng = np.random.default_rng(0)
    owner = np.repeat([0, 1, 2], 3)
    bank = Bank(unit(rng.normal(size=(9, 4))), owner, 3)
    kept = choose(bank, unit(rng.normal(size=(40, 4))), rng.integers(0, 3, 40))
    assert set(owner[kept]) == {0, 1, 2}


def test_dropping_never_lowers_training_accuracy():
    rng = np.random.default_rng(1)
    bank = Bank(unit(rng.normal(size=(12, 5))), np.repeat([0, 1, 2], 4), 3)
    x, y = unit(rng.normal(size=(60, 5))), rng.integers(0, 3, 60)

    def accuracy(kept):
        return ((x @ bank.heads(kept).T).argmax(axis=1) == y).mean()

    kept = choose(bank, x, y)
    assert accuracy(kept) > accuracy(np.ones(12, bool))
    for p in np.flatnonzero(kept):  # No further loss of one prompt helps.
        without = kept & (np.arange(12) != p)
        if len(set(bank.owner[without])) == 3:
            assert accuracy(without) <= accuracy(kept)


def run_lab(folds, labels=("a", "b")):
    ids = [f"{i:064x}" for i in range(8)]
    manifest = pa.table(
        {
            "image_id": ids,
            "path": ids,
            "label": [labels[k] for k in Y],
            "value": pa.nulls(8, pa.float64()),
            "split": [""] * 8,
            "group": pa.nulls(8, pa.string()),
        }
    )
    return prompt_lab(
        pa.table({"image_id": ids, "embedding": vectors(X)}),
        TEXTS,
        manifest,
        pa.table({"image_id": ids, "repeat": [0] * 8, "fold": folds}),
        encoder="e",
        protocol="p",
        study="s",
        labels="nominal",
        logit_scale=1.0,
    )


def test_gain_on_held_out_images_by_hand():
    lab = run_lab([0, 1, 0, 0, 1, 1, 0, 1])
    assert lab.kept.tolist() == [[True, False, True]] * 2
    assert lab.columns["y_pred"].tolist() == lab.columns["y_true"].tolist()
    # The whole bank takes a's prompts to about 51 degrees: two images of b are missed.
    difference = np.array([1, 1, 0, 0, 0, 0, 0, 0])
    gain = lab.gain
    assert (gain.n, gain.before, gain.after, gain.gain) == (8, 0.75, 1.0, 0.25)
    half = 1.959964 * difference.std(ddof=1) / np.sqrt(8)
    assert (gain.low, gain.high) == pytest.approx((0.25 - half, 0.25 + half))


def test_without_training_images_there_is_nothing_to_choose_on():
    with pytest.raises(BakeoffError, match="no training images"):
        run_lab([0] * 8)


def test_spread_of_prompts(bank):
    alone = spread_of_prompts(X, Y, bank, ["a", "b"], NAMES)
    assert [(p.label, p.text) for p in alone] == [
        ("a", "good a"),
        ("a", "bad a"),
        ("b", "good b"),
    ]
    assert alone[0].accuracy == 1 and alone[0].recall == 1
    assert alone[1].recall == 0


def test_hard_negatives(bank):
    hard = hard_negatives(X, Y, bank, ["a", "b"], NAMES, most=1)
    assert [(h.label, h.prompt_label, h.text) for h in hard] == [
        ("a", "b", "good b"),
        ("b", "a", "bad a"),
    ]
    own, other = X[Y == 1] @ bank.unit[2], X[Y == 1] @ bank.unit[1]
    assert hard[1].margin == pytest.approx((other - own).mean())
    assert hard[0].wins == 0


def test_rank_vectors_stand_between_their_anchors_in_proportion():
    heads = np.array([[1.0, 0], [-1, 0], [0.6, 0.8], [0, 1]])
    ranks = rank_vectors(heads, np.array([0.0, 1, 2, 4]), 2)
    expected = unit([[1, 0], [3 / 4, 1 / 4], [1 / 2, 1 / 2], [0, 1]])
    np.testing.assert_allclose(ranks, expected)
    np.testing.assert_allclose(rank_vectors(heads, np.arange(4.0), 4), heads)
