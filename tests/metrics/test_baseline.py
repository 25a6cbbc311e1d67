"""The commonest class, by hand and as scikit-learn's dummy answers."""

import numpy as np
import pyarrow as pa
import pytest
from bakeoff.baseline import NAME, baseline_rows, baseline_values
from bakeoff.folds import make_folds, runs
from sklearn.dummy import DummyClassifier


def manifest_of(labels, splits=None):
    n = len(labels)
    return pa.table(
        {
            "image_id": [f"{i:064x}" for i in range(n)],
            "path": [f"{i}.png" for i in range(n)],
            "label": [str(label) for label in labels],
            "value": np.asarray(labels, float),
            "split": splits or [""] * n,
            "group": pa.array([None] * n, pa.string()),
        }
    )


def test_a_fixed_test_set_by_hand():
    manifest = manifest_of([1, 1, 3, 1, 3, 3, 3], ["train"] * 3 + ["test"] * 4)
    folds = pa.table(make_folds(manifest, {"kind": "split"}, 1))
    rows = baseline_rows(manifest, {"test": folds}, labels="ordinal", study="s")
    assert set(rows["encoder"]) == {NAME}
    # Answered: 1, right for one of four; the mean of 1, 1 and 3 before rounding.
    table = pa.table(rows)
    assert baseline_values(table, "accuracy") == {"test": 0.25}
    errors = np.array([1, 3, 3, 3]) - 5 / 3
    rmse = baseline_values(table, "rmse")["test"]
    assert rmse == pytest.approx(np.sqrt((errors**2).mean()))


def test_folds_as_the_dummy_of_scikit_learn():
    y = np.array([1] * 31 + [2] * 29 + [3] * 10)
    manifest = manifest_of(np.random.default_rng(0).permutation(y))
    protocol = {"kind": "kfold", "folds": 5, "repeats": 2}
    folds = pa.table(make_folds(manifest, protocol, 1))
    rows = baseline_rows(manifest, {"cv": folds}, labels="nominal", study="s")
    label = dict(
        zip(*(manifest[n].to_pylist() for n in ("image_id", "label")), strict=True)
    )
    right = []
    for run in runs(folds):
        train, test = ([label[i] for i in ids] for ids in (run.train_ids, run.test_ids))
        dummy = DummyClassifier().fit([[0]] * len(train), train)
        right += list(dummy.predict([[0]] * len(test)) == np.array(test))
    found = baseline_values(pa.table(rows), "accuracy")
    assert found == {"cv": pytest.approx(np.mean(right))}
