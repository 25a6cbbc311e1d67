"""Every probe predicts what a plain scikit-learn loop over the same folds predicts."""

import warnings

import numpy as np
import pytest
from bakeoff.probes.interface import Features
from bakeoff.probes.ridge import ridge_path
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from sklearn.svm import SVC


def plain_loop(study, estimator, y, method="predict"):
    out = []
    for train, test in study.loop():
        estimator.fit(study.x[train], y[train])
        out.append(getattr(estimator, method)(study.x[test]))
    return np.concatenate(out)


def pipe(estimator, normalise, standardise):
    steps = [Normalizer()] * normalise + [StandardScaler()] * standardise
    return make_pipeline(*steps, estimator)


@pytest.mark.parametrize("d", [7, 200], ids=["primal", "dual"])
@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("standardise", [True, False])
def test_ridge_on_numbers(study, d, normalise, standardise):
    s = study(d=d)
    columns, _ = s.predict(
        "ordinal", kind="ridge", normalise=normalise, standardise=standardise
    )
    expected = plain_loop(
        s, pipe(Ridge(6.0), normalise, standardise), s.y.astype(float)
    )
    np.testing.assert_allclose(columns["y_raw"], expected, rtol=1e-6)
    rounded = np.clip(np.rint(expected), 1, 4).astype(int)
    assert columns["y_pred"].tolist() == [str(v) for v in rounded]


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("d", [7, 200], ids=["primal", "dual"])
def test_ridge_on_classes(study, d, k):
    s = study(d=d, k=k)
    columns, _ = s.predict(kind="ridge", alpha=2.5)
    reference = pipe(RidgeClassifier(2.5), True, False)
    assert (columns["y_pred"] == plain_loop(s, reference, s.y.astype(str))).all()
    decision = plain_loop(s, reference, s.y.astype(str), "decision_function")
    scores = columns["scores"][:, 1] if k == 2 else columns["scores"]
    np.testing.assert_allclose(scores, decision, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("d", [7, 60], ids=["primal", "dual"])
def test_ridge_path_equals_one_fit_per_penalty(d):
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(50, d)) + 5, rng.normal(size=(50, 2))
    train, test = np.arange(5, 45), np.arange(45, 50)
    alphas = [1e-3, 0.1, 6.0, 1e4]
    path = ridge_path(Features(x), train, test, y[train], alphas)
    for alpha, predicted in zip(alphas, path, strict=True):
        reference = Ridge(alpha).fit(x[train], y[train]).predict(x[test])
        np.testing.assert_allclose(predicted, reference, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("k", [2, 4])
def test_svc(study, kernel, normalise, k):
    s = study(k=k)
    settings = {"kernel": kernel, "C": 0.1 if kernel == "linear" else 3.0}
    columns, _ = s.predict(kind="svc", normalise=normalise, **settings)
    reference = pipe(SVC(class_weight="balanced", **settings), normalise, False)
    assert (columns["y_pred"] == plain_loop(s, reference, s.y.astype(str))).all()
    decision = plain_loop(s, reference, s.y.astype(str), "decision_function")
    scores = columns["scores"][:, 1] if k == 2 else columns["scores"]
    np.testing.assert_allclose(scores, decision, atol=2e-3)  # libsvm's own tolerance


def test_svc_on_too_many_images_for_a_kernel_matrix(study, monkeypatch):
    s = study()
    shared, _ = s.predict(kind="svc")
    monkeypatch.setattr("bakeoff.probes.svc.MOST_PRECOMPUTED", 10)
    direct, _ = s.predict(kind="svc")
    assert (shared["y_pred"] == direct["y_pred"]).all()


def test_centroid(study):
    s = study()
    columns, _ = s.predict(kind="centroid", normalise=False)
    assert (
        columns["y_pred"] == plain_loop(s, NearestCentroid(), s.y.astype(str))
    ).all()


@pytest.mark.parametrize("temperature", [None, 0.07])
def test_knn(study, temperature):
    s = study()
    columns, _ = s.predict(kind="knn", k=5, temperature=temperature)
    weights = (
        "uniform"
        if temperature is None
        else lambda distance: np.exp(-(distance**2) / (2 * temperature))
    )
    reference = pipe(KNeighborsClassifier(5, weights=weights), True, False)
    shares = plain_loop(s, reference, s.y.astype(str), "predict_proba")
    np.testing.assert_allclose(columns["scores"], shares, atol=1e-6)
    assert (columns["y_pred"] == plain_loop(s, reference, s.y.astype(str))).all()


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("d", [5, 60], ids=["primal", "dual"])
def test_held_out_predictions_equal_refitting_without_each_unit(d, grouped):
    from bakeoff.probes.ridge import _held_out, _system

    rng = np.random.default_rng(5)
    n, alphas = 30, [0.3, 40.0]
    x, y = rng.normal(size=(n + 4, d)) + 1, rng.normal(size=(n + 4, 2))
    train = np.arange(n)
    units = rng.integers(0, 8, n) if grouped else None
    features = Features(x)
    system = _system(features, train, np.arange(n, n + 4), y[train])
    predictions = _held_out(features, train, system, y[train], alphas, units)
    units = train if units is None else units
    for a, alpha in enumerate(alphas):
        for unit in np.unique(units):
            own = units == unit
            refit = Ridge(alpha).fit(x[train][~own], y[train][~own])
            np.testing.assert_allclose(
                predictions[a][own], refit.predict(x[train][own]), rtol=1e-7, atol=1e-9
            )


def test_nested_penalty_is_the_best_on_the_training_images_of_each_run(study):
    s = study(n=60)
    grid = [0.001, 0.1, 1.0, 10.0]
    columns, _ = s.predict("ordinal", kind="ridge", alpha="nested", alphas=grid)
    at = 0
    for train, test in s.loop():
        unit = s.x / np.linalg.norm(s.x, axis=1, keepdims=True)
        errors = [_loo_error(unit[train], s.y[train], alpha) for alpha in grid]
        best = Ridge(grid[int(np.argmin(errors))]).fit(unit[train], s.y[train])
        got = columns["y_raw"][at : at + len(test)]
        np.testing.assert_allclose(got, best.predict(unit[test]), rtol=1e-6)
        at += len(test)


def _loo_error(x, y, alpha):
    errors = []
    for i in range(len(y)):
        keep = np.arange(len(y)) != i
        fitted = Ridge(alpha).fit(x[keep], y[keep])
        errors.append((fitted.predict(x[[i]])[0] - y[i]) ** 2)
    return np.mean(errors)


def test_no_warning_reaches_the_user(study):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        study().predict(kind="ridge")
