"""Vectors scaled to fit, a probe's grid, and the check that leaves one image out."""

from dataclasses import replace

import numpy as np
import pytest
from bakeoff.errors import BakeoffError
from bakeoff.probes.inner import inner_folds
from bakeoff.probes.interface import Features, Fold, Problem
from bakeoff.probes.ridge import Ridge
from bakeoff.sensitivity import MOST_BY_REFIT, sensitivity_rows
from bakeoff.stats.shares import wilson


def sensitivity(study, labels="nominal", metric="accuracy", **settings):
    """Rows of the table as dictionaries, the probe as configured first."""
    columns = sensitivity_rows(
        study.embeddings,
        study.manifest,
        study.folds,
        settings=settings,
        labels=labels,
        seed=1,
        metric=metric,
        encoder="tiny",
        study="toy",
        method="probe",
        protocol="cv",
    )
    values = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in values]


def one_fold(study, n_train, ordinal=False):
    classes, y = np.unique(study.y, return_inverse=True)
    problem = Problem(tuple(map(str, classes)), classes.astype(float), ordinal)
    rows = np.arange(len(y))
    train, test = rows[:n_train], rows[n_train:]
    return Fold(Features(study.x), train, test, y[train], problem), y[test]


def test_rescaled_features_are_what_the_definition_says():
    rng = np.random.default_rng(0)
    x, train = rng.normal(size=(30, 5)) * 3 + 40, np.arange(4, 25)
    centred = x - x[train].mean(axis=0)
    wanted = centred / np.sqrt((centred[train] ** 2).sum(axis=1).mean())
    scaled = Features(x).rescaled(train)
    np.testing.assert_allclose(scaled.x, wanted)
    assert np.isclose((scaled.x[train] ** 2).sum(axis=1).mean(), 1)
    rows, columns = np.arange(7), np.arange(3, 30)
    products = scaled.products(rows, columns)
    np.testing.assert_allclose(products, wanted[rows] @ wanted[columns].T, atol=1e-10)
    np.testing.assert_allclose(scaled.squares, (wanted**2).sum(axis=1))
    np.testing.assert_allclose(scaled.scatter, scaled.centred.T @ scaled.centred)
    shift = scaled.centred - wanted
    np.testing.assert_allclose(shift, np.broadcast_to(shift[0], shift.shape))


def test_equal_vectors_are_only_centred():
    scaled = Features(np.full((6, 3), 7.0)).rescaled(np.arange(4))
    assert (scaled.x == 0).all()


@pytest.mark.parametrize(
    "probe",
    [
        {"kind": "ridge", "alpha": 3.0},
        {"kind": "svc", "C": 1.0},
        {"kind": "svc", "C": 1.0, "kernel": "rbf"},
        {"kind": "logistic", "C": 1.0},
    ],
    ids=str,
)
def test_length_and_cone_of_the_vectors_change_nothing_once_rescaled(study_of, probe):
    rng = np.random.default_rng(1)
    y = np.arange(60) % 3 + 1
    x = rng.normal(size=(60, 8)) + y[:, None]
    plain, far = (
        study_of(v, y).predict(**probe, normalise=False, rescale=True)[0]["y_pred"]
        for v in (x, 64 * x + 512)
    )
    assert (plain == far).all()


@pytest.mark.parametrize(
    ("settings", "labels"),
    [
        ({"kind": "ridge", "alpha": "nested", "rescale": True}, "nominal"),
        ({"kind": "ridge", "alpha": 2.0, "alphas": (0.1, 10.0)}, "ordinal"),
        ({"kind": "ridge", "decode": "cutpoints", "alphas": (0.1, 10.0)}, "ordinal"),
        ({"kind": "svc", "C": "nested", "Cs": (0.1, 10.0), "rescale": True}, "nominal"),
        ({"kind": "knn", "k": 3}, "nominal"),
        ({"kind": "centroid"}, "nominal"),
    ],
    ids=str,
)
def test_each_row_is_the_probe_with_that_value(study, settings, labels):
    s = study(n=90, k=3)
    rows = sensitivity(s, labels, **settings)

    def hits(settings):
        columns, _ = s.predict(labels, **settings)
        first = np.asarray(columns["repeat"]) == 0
        return int((columns["y_pred"] == columns["y_true"])[first].sum())

    assert rows[0]["value"] is None
    assert rows[0]["hits"] == hits(settings)
    assert rows[0]["n"] == 90 and rows[0]["score"] == rows[0]["hits"] / 90
    for row in rows[1:]:
        value = int(row["value"]) if row["setting"] == "k" else row["value"]
        assert row["hits"] == hits({**settings, row["setting"]: value})
    if len(rows) > 1:
        assert sum(row["runs"] for row in rows[1:]) == rows[0]["runs"] == 4
    assert [row["left_out"] for row in rows[1:]] == [None] * (len(rows) - 1)


@pytest.mark.parametrize("ordinal", [False, True])
@pytest.mark.parametrize("d", [5, 90])
def test_ridge_without_one_image_equals_a_fit_without_it(study, d, ordinal):
    fold, truth = one_fold(study(n=80, d=d, k=4), 60, ordinal)
    probe, left_out = Ridge(alpha=0.7), np.array([0, 3, 17, 59])
    hits = probe.hits_without(fold, left_out, truth)
    for place, found in zip(left_out, hits, strict=True):
        rest = replace(
            fold, train=np.delete(fold.train, place), y=np.delete(fold.y, place)
        )
        assert (probe.predict(rest).y == truth).sum() == found


def test_a_formula_and_refitting_agree_over_folds(study, monkeypatch):
    s = study(n=70, k=3)
    settings = {"kind": "ridge", "alpha": 1.0}
    monkeypatch.setattr("bakeoff.sensitivity.MOST_BY_FORMULA", 9)
    monkeypatch.setattr("bakeoff.sensitivity.MOST_BY_REFIT", 9)
    formula = sensitivity(s, **settings)[0]
    # To what asks, the probe is then none that has a formula.
    monkeypatch.setattr("bakeoff.sensitivity.Ridge", type("Other", (), {}))
    refitted = sensitivity(s, **settings)[0]
    assert {k: formula[k] for k in ("left_out", "fewest", "most")} == {
        k: refitted[k] for k in ("left_out", "fewest", "most")
    }
    assert formula["fewest"] < formula["hits"] or formula["most"] > formula["hits"]


def textile_like(study_of):
    """Two kinds of cloth: vectors in a narrow cone, as photographs of one thing have."""
    rng = np.random.default_rng(1)
    y = np.arange(160) % 2 + 1
    kinds = 0.12 * rng.normal(size=(2, 48))
    x = 1 + 0.3 * rng.normal(size=(160, 48)) + kinds[y - 1]
    return study_of(x, y, protocol={"kind": "kfold", "folds": 8})


@pytest.mark.parametrize(
    ("settings", "unstable"),
    [
        ({"C": 0.1}, True),
        ({"C": 10.0}, False),
        ({"C": "nested", "rescale": True}, False),
    ],
    ids=str,
)
def test_one_image_moves_the_default_svc_and_no_other(study_of, settings, unstable):
    row = sensitivity(textile_like(study_of), kind="svc", **settings)[0]
    low, high = wilson(row["hits"], row["n"])
    assert row["left_out"] == MOST_BY_REFIT
    outside = row["fewest"] < low * row["n"] or row["most"] > high * row["n"]
    assert outside == unstable


def test_a_class_with_one_training_image_does_not_hinder_a_choice(study):
    fold, _ = one_fold(study(n=60, k=3), 40)
    y = np.where(np.arange(40) == 7, 2, fold.y % 2)
    parts = list(inner_folds(replace(fold, y=y)))
    assert len(parts) == 3
    assert sorted(np.concatenate([p.test for p, _ in parts])) == sorted(fold.train)
    lonely = replace(fold, train=fold.train[:3], y=np.array([0, 1, 2]))
    with pytest.raises(BakeoffError, match="no class with two training images"):
        next(iter(inner_folds(lonely)))
