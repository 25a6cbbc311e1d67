"""Zero-shot predictions against a plain loop and cases done by hand."""

import numpy as np
import pyarrow as pa
import pytest
from bakeoff.errors import BakeoffError
from bakeoff.zeroshot import class_vectors, zero_shot

IDS = [f"{i:064x}" for i in range(6)]


def manifest(labels, values=None):
    n = len(labels)
    return pa.table(
        {
            "image_id": IDS[:n],
            "path": IDS[:n],
            "label": labels,
            "value": pa.array(values or [None] * n, pa.float64()),
            "split": ["test"] * n,
            "group": pa.nulls(n, pa.string()),
        }
    )


def vectors(x):
    x = np.asarray(x, np.float32)
    return pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), x.shape[1])


def texts(classes, x):
    return pa.table({"class": classes, "embedding": vectors(x)})


def folds(n, repeats=1):
    return pa.table(
        {
            "image_id": IDS[:n] * repeats,
            "repeat": np.repeat(np.arange(repeats), n),
            "fold": np.tile(np.arange(n) % 2, repeats),
        }
    )


def run(x, t, man, fold_table, labels="nominal", **options):
    table = pa.table({"image_id": IDS[: len(x)], "embedding": vectors(x)})
    return zero_shot(
        table,
        t,
        man,
        fold_table,
        encoder="e",
        protocol="p",
        study="s",
        labels=labels,
        **options,
    )


def test_equals_a_plain_loop_over_prompts_and_images():
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(6, 5)), rng.normal(size=(7, 5))
    owners = ["b", "a", "a", "c", "b", "c", "a"]
    man = manifest(["a", "b", "c", "a", "b", "c"])
    columns, provenance = run(
        x, texts(owners, t), man, folds(6, 2), logit_scale=100.0, logit_bias=-10.0
    )
    for i in range(6):
        for k, name in enumerate("abc"):
            own = [
                v / np.linalg.norm(v)
                for v, o in zip(t, owners, strict=True)
                if o == name
            ]
            head = np.mean(own, axis=0)
            head /= np.linalg.norm(head)
            cosine = x[i] @ head / np.linalg.norm(x[i])
            assert columns["scores"][i, k] == pytest.approx(100 * cosine - 10, abs=1e-4)
    assert provenance["classes"] == ["a", "b", "c"]
    assert provenance["scores"] == "logit"
    assert (columns["repeat"] == 0).all()
    assert columns["fold"].tolist() == [0, 1] * 3
    best = np.array(["a", "b", "c"])[columns["scores"].argmax(axis=1)]
    assert (columns["y_pred"] == best).all()


def test_ordinal_expectation_by_hand():
    # Cosines 1 and 0, scale ln 3: softmax (3/4, 1/4), expectation 3/4 * 2 + 1/4 * 10.
    columns, provenance = run(
        [[2, 0], [0, 5]],
        texts(["10", "2"], [[0, 1], [1, 0]]),
        manifest(["2", "10"], [2, 10]),
        folds(2),
        labels="ordinal",
        logit_scale=float(np.log(3)),
    )
    assert provenance["classes"] == ["2", "10"]
    assert columns["y_pred"].tolist() == ["2", "10"]
    np.testing.assert_allclose(columns["y_raw"], [4.0, 8.0], rtol=1e-6)


def test_average_before_and_after_normalisation():
    t = texts(["a", "a", "b"], [[1, 0], [0, 3], [1, 1]])
    half = np.sqrt(0.5)
    before = class_vectors(t, ("a", "b"), "before", "e")
    after = class_vectors(t, ("a", "b"), "after", "e")
    np.testing.assert_allclose(before, [[half, half]] * 2, rtol=1e-6)
    np.testing.assert_allclose(after, [[0.5, 0.5], [half, half]], rtol=1e-6)


def test_images_are_scored_once_in_the_first_fold_that_tests_them():
    table = pa.table(
        {
            "image_id": IDS[:2] * 2,
            "repeat": [0, 0, 1, 1],
            "fold": [-2, 3, 1, 2],
        }
    )
    columns, _ = run(
        [[1, 0], [0, 1]],
        texts(["a", "b"], [[1, 0], [0, 1]]),
        manifest(["a", "b"]),
        table,
        logit_scale=1.0,
    )
    assert columns["image_id"].tolist() == IDS[:2]
    assert columns["fold"].tolist() == [1, 3]


def test_a_class_without_prompts_is_named():
    with pytest.raises(BakeoffError, match="no vector for classes b"):
        run(
            [[1, 0], [0, 1]],
            texts(["a"], [[1, 0]]),
            manifest(["a", "b"]),
            folds(2),
            logit_scale=1.0,
        )
