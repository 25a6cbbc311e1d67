"""Bad and degenerate inputs: a clear error or the documented value."""

import numpy as np
import pyarrow as pa
import pytest
from bakeoff.errors import BakeoffError
from bakeoff.folds import make_folds
from bakeoff.metrics.table import metrics_rows
from bakeoff.probes.registry import PROBES
from bakeoff.tables import read_table, write_table

EVERY = sorted(set(PROBES) - {"corn"})


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_features_that_are_not_finite_are_named(study_of, bad):
    x = np.random.default_rng(0).normal(size=(12, 3))
    x[7, 1] = bad
    s = study_of(x, [1, 2] * 6)
    with pytest.raises(BakeoffError, match=r"tiny.*1 images: image-7\.png"):
        s.predict(kind="ridge")


def test_vectors_of_another_encoder_are_refused_wherever_they_lie(study, tmp_path):
    s, path = study(), tmp_path / "vectors.parquet"
    for encoder in ("tiny", "other"):
        write_table(path, "embeddings", s.embeddings, {"encoder": encoder})
        s.embeddings = read_table(path, "embeddings")
        if encoder == "tiny":
            s.predict(kind="centroid")
    with pytest.raises(BakeoffError, match="vectors of other; expected vectors of tin"):
        s.predict(kind="centroid")


def test_zero_vectors_cannot_be_normalised_but_may_be_used_as_they_are(study_of):
    x = np.random.default_rng(0).normal(size=(12, 3))
    x[4] = 0
    s = study_of(x, [1, 2] * 6)
    with pytest.raises(BakeoffError, match=r"zero vectors for 1 images: image-4\.png"):
        s.predict(kind="ridge")
    s.predict(kind="ridge", normalise=False)


def test_missing_vectors_are_named(study):
    s = study()
    s.embeddings = s.embeddings.slice(2)
    with pytest.raises(BakeoffError, match="lacks 2 images"):
        s.predict(kind="ridge")


@pytest.mark.parametrize("kind", EVERY)
def test_equal_features_predict_without_a_failure(study_of, kind):
    s = study_of(np.ones((24, 3)), [1, 2, 2] * 8)
    columns, _ = s.predict(kind=kind)
    assert len(columns["y_pred"]) == 48


def test_ridge_on_equal_features_predicts_the_mean(study_of):
    s = study_of(np.ones((24, 3)), [1, 2, 2] * 8)
    columns, _ = s.predict("ordinal", kind="ridge")
    np.testing.assert_allclose(columns["y_raw"], 5 / 3)


@pytest.mark.parametrize("kind", [*EVERY, "corn"])
def test_one_feature_and_fewer_images_than_features(study, kind):
    for d in (1, 300):
        columns, _ = study(n=40, d=d, k=2).predict(
            "ordinal", kind=kind, normalise=d > 1
        )
        assert set(columns["y_pred"]) <= {"1", "2"}


def test_one_class(study_of):
    s = study_of(np.eye(8), [1] * 8, protocol={"kind": "kfold", "folds": 2})
    with pytest.raises(BakeoffError, match="images of one class only"):
        s.predict(kind="ridge")


def test_two_images(study_of):
    s = study_of(np.eye(2), [1, 2], splits=["test"] * 2, protocol={"kind": "split"})
    with pytest.raises(BakeoffError, match="0 training images of 0 classes"):
        s.predict(kind="ridge")
    with pytest.raises(BakeoffError, match=r"1 \(1\), 2 \(1\)"):
        make_folds(s.manifest, {"kind": "kfold", "folds": 2}, 1)


def test_labels_that_are_not_numbers(study):
    s = study()
    at = s.manifest.column_names.index("value")
    values = [None, *s.manifest["value"].to_pylist()[1:]]
    s.manifest = s.manifest.set_column(at, "value", pa.array(values, pa.float64()))
    with pytest.raises(BakeoffError, match="labels that are not numbers"):
        s.predict("ordinal", kind="ridge")


def test_ordinal_classes_stand_in_the_order_of_their_numbers(study_of):
    y = [9, 10, 11] * 6
    s = study_of(np.random.default_rng(0).normal(size=(18, 2)), y)
    _, provenance = s.predict("ordinal", kind="knn")
    assert provenance["classes"] == ["9", "10", "11"]
    assert provenance["values"] == [9, 10, 11]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "rigde"}, "Did you mean 'ridge'"),
        ({"kind": "ridge", "alhpa": 3}, "alhpa.*Did you mean 'alpha'"),
        ({"kind": "centroid", "k": 3}, "any of none"),
    ],
)
def test_unknown_settings(study, settings, message):
    with pytest.raises(BakeoffError, match=message):
        study().predict(**settings)


def test_folds_of_another_manifest(study):
    s = study()
    s.folds = pa.table(
        make_folds(study(n=124).manifest, {"kind": "kfold", "folds": 2}, 1)
    )
    with pytest.raises(BakeoffError, match="manifest lacks"):
        s.predict(kind="ridge")


@pytest.mark.parametrize(("kind", "empty"), [("svc", -np.inf), ("logistic", 0)])
def test_a_class_that_a_run_leaves_out_scores_least(study_of, kind, empty):
    s = study_of(np.random.default_rng(0).normal(size=(18, 2)), [1, 2, 3] * 6)
    columns = {name: np.asarray(s.folds[name]).copy() for name in ("repeat", "fold")}
    third = np.isin(s.folds["image_id"].to_pylist(), s.ids[s.y == 3])
    columns["fold"][third] = -2
    s.folds = pa.table({"image_id": s.folds["image_id"], **columns})
    predicted, _ = s.predict(kind=kind)
    assert (predicted["scores"][:, 2] == empty).all()
    assert "3" not in predicted["y_pred"]


@pytest.mark.parametrize("kind", [*EVERY, "corn"])
def test_the_table_of_predictions_can_be_written_and_scored(study, saved, kind):
    s = study(n=61, k=3)
    columns, provenance = s.predict("ordinal", kind=kind)
    table = saved(columns, provenance)
    assert table.num_rows == 2 * 61
    rows = metrics_rows(table, "toy")
    assert {"accuracy", "rmse", "qwk"} <= set(rows["metric"])


def test_runs_do_not_depend_on_each_other(study):
    """A job with one repeat gives the rows that a job with all of them gives."""
    s = study()
    whole, _ = s.predict(kind="svc", C="nested", Cs=(0.01, 1.0))
    keep = np.asarray(s.folds["repeat"]) == 1
    s.folds = s.folds.filter(pa.array(keep))
    part, _ = s.predict(kind="svc", C="nested", Cs=(0.01, 1.0))
    later = whole["repeat"] == 1
    for name in ("image_id", "y_pred", "seed"):
        assert (np.asarray(whole[name])[later] == part[name]).all()


def test_standardisation_sees_training_images_only(study):
    """Moving the test images of a run cannot change how it is trained."""
    s = study()
    s.folds = s.folds.filter(pa.array(np.asarray(s.folds["repeat"]) == 0))
    settings = {"kind": "centroid", "normalise": False, "standardise": True}
    before, _ = s.predict(**settings)
    fold = dict(
        zip(s.folds["image_id"].to_pylist(), s.folds["fold"].to_pylist(), strict=True)
    )
    ids = s.embeddings["image_id"].to_pylist()
    first = [i for i in range(len(ids)) if fold[ids[i]] == 0]
    x = np.array(s.embeddings["embedding"].to_pylist(), np.float32)
    x[first[1:]] += 1000
    flat = pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), x.shape[1])
    s.embeddings = pa.table({"image_id": ids, "embedding": flat})
    after, _ = s.predict(**settings)
    at = before["image_id"].tolist().index(ids[first[0]])
    assert before["fold"][at] == 0
    np.testing.assert_allclose(before["scores"][at], after["scores"][at], rtol=1e-6)
