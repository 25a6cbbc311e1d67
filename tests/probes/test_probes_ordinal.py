"""Ordinal labels, probabilities, and choices made inside the training folds."""

from itertools import combinations_with_replacement

import numpy as np
import pytest
from bakeoff.errors import BakeoffError
from bakeoff.probes.cutpoints import best_cuts
from bakeoff.probes.inner import FOLDS, inner_folds
from bakeoff.probes.interface import Features, Fold, Problem
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.preprocessing import normalize
from sklearn.svm import SVC


def hits(cuts, raw, y):
    return int((np.searchsorted(cuts, raw, side="left") == y).sum())


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 2)), min_size=1, max_size=8)
)
def test_cutpoints_are_the_best_of_all(pairs):
    raw, y = (np.array(column) for column in zip(*pairs, strict=True))
    raw = raw / 2.0
    cuts = best_cuts(raw, y, 3)
    assert (cuts[1:] >= cuts[:-1]).all()
    places = [-np.inf, *(np.arange(-4, 5) / 2 - 0.25)]
    every = combinations_with_replacement(places, 2)
    assert hits(cuts, raw, y) == max(hits(np.array(c), raw, y) for c in every)


def test_cutpoints_by_hand():
    raw, y = np.array([1.0, 1.2, 1.4, 2.0, 2.2, 2.6]), np.array([0, 0, 0, 1, 1, 2])
    np.testing.assert_allclose(best_cuts(raw, y, 3), [1.7, 2.4])


def test_cutpoints_undo_a_shrunken_regression(study):
    s = study(n=300, d=3, k=5, shift=0.0)
    plain, _ = s.predict("ordinal", kind="ridge", alpha=300.0)
    cut, _ = s.predict("ordinal", kind="ridge", alpha=300.0, decode="cutpoints")
    np.testing.assert_array_equal(plain["y_raw"], cut["y_raw"])
    accuracy = [(c["y_true"] == c["y_pred"]).mean() for c in (plain, cut)]
    assert accuracy[1] > accuracy[0]


def test_numbers_go_to_the_nearest_label_and_stay_in_range():
    problem = Problem(("1", "2", "9"), np.array([1.0, 2, 9]), True)
    numbers = np.array([-7.0, 1.4, 1.6, 5.4, 5.6, 40])
    assert problem.nearest(numbers).tolist() == [0, 0, 1, 1, 2, 2]


def test_logistic_against_a_plain_loop(study):
    s = study(k=3)
    columns, provenance = s.predict("ordinal", kind="logistic", C=4.0)
    x, at = normalize(s.x), 0
    for train, test in s.loop():
        model = LogisticRegression(C=4.0, max_iter=2000).fit(x[train], s.y[train])
        p = model.predict_proba(x[test])
        rows = slice(at, at + len(test))
        np.testing.assert_allclose(columns["scores"][rows], p, atol=1e-6)
        np.testing.assert_allclose(columns["y_raw"][rows], p @ [1, 2, 3], rtol=1e-6)
        at += len(test)
    assert provenance["scores"] == "probability"


def test_logistic_that_does_not_converge_is_an_error(study):
    with pytest.raises(BakeoffError, match="no convergence in 2 iterations"):
        study().predict(kind="logistic", C=1e4, max_iter=2)


def test_corn_of_two_classes_is_logistic_regression(study):
    s = study(k=2)
    corn, _ = s.predict("ordinal", kind="corn", C=2.0)
    logistic, _ = s.predict("ordinal", kind="logistic", C=2.0)
    np.testing.assert_allclose(corn["scores"], logistic["scores"], atol=1e-6)
    assert (corn["y_pred"] == logistic["y_pred"]).all()


def test_corn_probabilities_and_median(study):
    columns, _ = study(k=4).predict("ordinal", kind="corn")
    p = columns["scores"].astype(float)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)
    assert (p >= -1e-7).all()
    np.testing.assert_allclose(columns["y_raw"], p @ [1, 2, 3, 4], rtol=1e-5)
    # The median: the first label with at least half of the probability up to it.
    median = 1 + (p.cumsum(axis=1) < 0.5 - 1e-6).sum(axis=1)
    assert columns["y_pred"].tolist() == [str(m) for m in median]


def test_corn_refuses_nominal_labels(study):
    with pytest.raises(BakeoffError, match="labels without an order"):
        study().predict(kind="corn")


def one_fold(s, units=None):
    train, test = next(iter(s.loop()))
    classes, y = np.unique(s.y.astype(str), return_inverse=True)
    problem = Problem(tuple(classes), np.arange(len(classes), dtype=float), False)
    return Fold(Features(s.x), train, test, y[train], problem, units, seed=3)


def test_inner_folds_stay_inside_the_training_images(study):
    fold = one_fold(study())
    parts = list(inner_folds(fold))
    assert len(parts) == FOLDS
    tested = np.concatenate([part.test for part, _ in parts])
    assert sorted(tested) == sorted(fold.train)
    for part, truth in parts:
        assert not set(part.train) & set(part.test)
        place = dict(zip(fold.train, fold.y, strict=True))
        assert [place[row] for row in part.test] == truth.tolist()


def test_inner_folds_keep_groups_whole(study):
    s = study()
    units = np.arange(90) // 3
    fold = one_fold(s, units)
    for part, _ in inner_folds(fold):
        group = dict(zip(fold.train, units, strict=True))
        assert not {group[r] for r in part.train} & {group[r] for r in part.test}


def test_nested_svc_chooses_as_a_grid_search_does(study):
    s = study(n=90, k=3)
    grid = (0.001, 0.1, 10.0)
    columns, _ = s.predict(kind="svc", C="nested", Cs=grid)
    from bakeoff.probes.run import run_seed

    x, at = normalize(s.x), 0
    for number, (train, test) in enumerate(s.loop()):
        inner = StratifiedKFold(
            FOLDS, shuffle=True, random_state=run_seed(1, number // 4, number % 4)
        )
        search = GridSearchCV(
            SVC(kernel="linear", class_weight="balanced"), {"C": grid}, cv=inner
        )
        search.fit(x[train], s.y[train].astype(str))
        rows = slice(at, at + len(test))
        assert (columns["y_pred"][rows] == search.predict(x[test])).all()
        at += len(test)


def test_a_choice_with_one_image_of_a_class_is_refused(study_of):
    y = np.array([1] * 10 + [2] * 2)
    s = study_of(np.eye(12), y, protocol={"kind": "kfold", "folds": 2})
    with pytest.raises(
        BakeoffError, match="training images of one class after an inner division"
    ):
        s.predict(kind="svc", C="nested")
