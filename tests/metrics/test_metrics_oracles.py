"""Metrics against published and hand-made numbers, and against scikit-learn."""

import numpy as np
import pytest
from bakeoff.metrics.ageing import age_bias, constant_within_1, differences
from bakeoff.metrics.definitions import METRICS
from bakeoff.metrics.interface import Outcomes
from bakeoff.metrics.probabilistic import (
    brier_terms,
    ece,
    of_perfect_model,
    rms_calibration_error,
)
from bakeoff.metrics.ranking import average_precision
from scipy.stats import ttest_1samp
from sklearn import metrics as sk


def ordinal(y, p, raw=None, values=None):
    values = np.arange(min([*y, *p]), max([*y, *p]) + 1) if values is None else values
    place = {v: i for i, v in enumerate(values)}
    return Outcomes(
        np.array([place[v] for v in y]),
        np.array([place[v] for v in p]),
        tuple(map(str, values)),
        np.asarray(values, float),
        None if raw is None else np.asarray(raw, float),
        ordinal=True,
    )


def scored(scores, y, kind="probability", is_ordinal=False):
    scores = np.asarray(scores, float)
    k = scores.shape[1]
    return Outcomes(
        np.asarray(y),
        scores.argmax(axis=1),
        tuple("abcdefghijklmnopqrst"[:k]),
        np.arange(k, dtype=float),
        scores=scores,
        ordinal=is_ordinal,
        kind=kind,
    )


AGES = ordinal([1, 1, 2, 2, 3, 3, 4, 4, 5, 6], [1, 2, 2, 3, 3, 3, 3, 4, 4, 8])


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("accuracy", 0.5),
        ("within_1", 0.9),
        ("rmse", 0.8944272),
        ("mae", 0.6),
        ("macro_mae", 0.75),
        ("bias", 0.2),
        ("ape", 9.3015873),
        ("acv", 13.1544309),
        ("qwk", 0.8606272),
    ],
)
def test_ten_fish(metric, value):
    assert METRICS[metric].value(AGES) == pytest.approx(value, abs=5e-8)


def test_one_fish():
    fish = ordinal([3], [4])
    assert METRICS["ape"].value(fish) == pytest.approx(14.2857, abs=5e-5)
    assert METRICS["acv"].value(fish) == pytest.approx(20.2031, abs=5e-5)


def test_age_0_read_as_1_is_an_error_of_100_percent_and_0_as_0_of_none():
    assert METRICS["ape"].value(ordinal([0, 0], [1, 0])) == 50.0


def test_kappa_goes_by_the_distance_of_labels_not_by_their_rank():
    o = ordinal([1, 1, 2, 2, 9, 9], [1, 2, 2, 9, 9, 9], values=[1, 2, 9])
    assert METRICS["qwk"].value(o) == pytest.approx(0.7024, abs=5e-5)
    by_rank = ordinal([0, 0, 1, 1, 2, 2], [0, 1, 1, 2, 2, 2])
    assert METRICS["qwk"].value(by_rank) == pytest.approx(0.75)


def test_kappa_equals_lins_concordance():
    rng = np.random.default_rng(0)
    y, p = rng.integers(1, 9, 60), rng.integers(1, 9, 60)
    o = ordinal(y, p, values=range(1, 9))
    expected = 2 * np.cov(y, p, bias=True)[0, 1]
    expected /= y.var() + p.var() + (y.mean() - p.mean()) ** 2
    assert METRICS["qwk"].value(o) == pytest.approx(expected, abs=1e-12)


def test_raw_predictions_enter_rmse_and_not_mae():
    o = ordinal([1, 2], [1, 2], raw=[1.5, 2.5])
    assert METRICS["rmse"].value(o) == 0.5
    assert METRICS["rmse_rounded"].value(o) == METRICS["mae"].value(o) == 0.0


P = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.25, 0.5, 0.25]]
Y = [0, 1, 0, 2]


@pytest.mark.parametrize(
    ("metric", "value"), [("brier", 0.45375), ("nll", 0.7925214), ("rps", 0.174375)]
)
def test_proper_scores(metric, value):
    o = scored(P, Y, is_ordinal=True)
    assert METRICS[metric].value(o) == pytest.approx(value, abs=5e-8)


def test_calibration_by_hand():
    confidence = np.array([0.95, 0.85, 0.75, 0.65, 0.55, 0.95, 0.85, 0.75])
    hit = np.array([1, 1, 0, 1, 0, 1, 0, 1.0])
    assert ece(confidence, hit, 10) == pytest.approx(0.275)
    two = np.stack([confidence, 1 - confidence], axis=1)
    brier = brier_terms(two, (1 - hit).astype(int)).mean() / 2
    assert brier == pytest.approx(0.225)


def test_debiased_error_by_hand():
    # One bin of 4: hits 3/4, confidence 1/2: 1/16 - (3/16)/3 = 0.
    assert rms_calibration_error(np.full(4, 0.5), np.array([1, 1, 1, 0.0])) == 0.0
    # Hits 1, confidence 1/2: no sampling variance, sqrt(1/4).
    assert rms_calibration_error(np.full(4, 0.5), np.ones(4)) == pytest.approx(0.5)
    assert np.isnan(rms_calibration_error(np.ones(1), np.ones(1)))


@pytest.mark.parametrize(
    ("n", "plain", "debiased"), [(300, 0.055, 0.019), (1000, 0.030, 0.010)]
)
def test_errors_of_a_calibrated_model_of_15_classes(n, plain, debiased):
    """The size of both biases, to the accuracy that unlike confidences allow."""
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.full(15, 0.3), size=n)
    confidence = p.max(axis=1)
    assert of_perfect_model(ece, confidence, rng) == pytest.approx(plain, rel=0.35)
    shown = of_perfect_model(rms_calibration_error, confidence, rng)
    assert shown == pytest.approx(debiased, rel=0.5)


def test_a_calibrated_model_shows_about_what_is_expected_of_it():
    rng = np.random.default_rng(2)
    p = rng.dirichlet(np.ones(4), size=800)
    y = (rng.random((800, 1)) > p.cumsum(axis=1)).sum(axis=1)
    o = scored(p, y)
    shown, expected = (METRICS[m].value(o) for m in ("ece", "ece_perfect"))
    assert shown == pytest.approx(expected, abs=0.02)
    sharpened = scored(p**4 / (p**4).sum(axis=1, keepdims=True), y)
    assert METRICS["ece"].value(sharpened) > 3 * METRICS["ece_perfect"].value(sharpened)


@pytest.fixture(scope="module")
def random_outcomes():
    rng = np.random.default_rng(3)
    y = rng.integers(0, 4, 90)
    logits = np.round(rng.normal(size=(90, 4)) + 1.2 * np.eye(4)[y], 1)  # with ties
    return scored(logits, y, kind="logit")


def test_against_scikit_learn(random_outcomes):
    o = random_outcomes
    p, y, predicted = o.probabilities, o.y_true, o.y_pred
    np.testing.assert_allclose(p.sum(axis=1), 1)
    expected = {
        "accuracy": sk.accuracy_score(y, predicted),
        "macro_recall": sk.balanced_accuracy_score(y, predicted),
        "macro_precision": sk.precision_score(y, predicted, average="macro"),
        "macro_f1": sk.f1_score(y, predicted, average="macro"),
        "nll": sk.log_loss(y, p),
        "brier": sk.brier_score_loss(y, p, scale_by_half=False),
        "auroc": np.mean([sk.roc_auc_score(y == k, o.scores[:, k]) for k in range(4)]),
        "map": np.mean(
            [sk.average_precision_score(y == k, o.scores[:, k]) for k in range(4)]
        ),
    }
    for name, value in expected.items():
        assert METRICS[name].value(o) == pytest.approx(value, abs=1e-12), name


def test_top_k_against_a_stable_sort(random_outcomes):
    o = random_outcomes
    order = np.argsort(-o.scores, axis=1, kind="stable")
    for k in (2, 3):
        expected = np.mean(
            [y in row[:k] for y, row in zip(o.y_true, order, strict=True)]
        )
        assert METRICS[f"top_{k}"].value(o) == pytest.approx(expected)
    assert not METRICS["top_5"].applies(o)


def test_kendall_tau_by_hand():
    # Pairs 4 + 1 against 1: (5 - 1) / 6.
    o = ordinal([1, 2, 3, 4], [1, 2, 4, 3])
    assert METRICS["tau"].value(o) == pytest.approx(4 / 6)


def test_average_precision_by_hand():
    score, relevant = np.array([4.0, 3, 2, 1]), np.array([True, False, True, False])
    assert average_precision(score, relevant) == pytest.approx((1 + 2 / 3) / 2)


def test_every_metric_of_weights_of_one_is_its_value(random_outcomes):
    with_raw = ordinal([1, 2, 3, 3, 2], [1, 2, 2, 3, 3], raw=[1.1, 2.2, 2.4, 3, 2.6])
    for o in (random_outcomes, with_raw):
        for name, metric in METRICS.items():
            if metric.applies(o):
                ones = np.ones((2, len(o.y_true)))
                values = metric.resampled(o, ones)
                np.testing.assert_allclose(values, metric.value(o), err_msg=name)


def test_resampling_is_taking_rows(random_outcomes):
    o = random_outcomes
    weights = np.random.default_rng(0).multinomial(90, np.full(90, 1 / 90), size=3)
    for name in ("accuracy", "macro_f1", "auroc", "nll"):
        drawn = [
            METRICS[name].value(o.take(np.repeat(np.arange(90), w))) for w in weights
        ]
        np.testing.assert_allclose(
            METRICS[name].resampled(o, weights.astype(float)), drawn, err_msg=name
        )


def test_decision_values_have_no_probabilities(random_outcomes):
    o = scored(random_outcomes.scores, random_outcomes.y_true, kind="decision")
    assert not METRICS["nll"].applies(o)
    assert METRICS["auroc"].applies(o)


def test_age_bias_table():
    y = [2] * 4 + [3] * 2 + [4] * 3 + [5] * 4
    p = [2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 4]
    rows = age_bias(ordinal(y, p))
    assert [(r.age, r.n, r.mean) for r in rows] == [
        (2, 4, 2.75),
        (3, 2, 3),
        (4, 3, 4),
        (5, 4, 4.5),
    ]
    two, five = (ttest_1samp(r, a) for r, a in (([2, 3, 3, 3], 2), ([4, 5, 5, 4], 5)))
    # Holm over the two ages that can be tested: the smaller p doubled.
    assert rows[0].p == pytest.approx(min(2 * two.pvalue, 2 * five.pvalue))
    interval = two.confidence_interval(0.95)
    assert (rows[0].low, rows[0].high) == pytest.approx(interval)
    assert np.isnan([rows[1].p, rows[2].p, rows[2].low]).all()


def test_differences_and_the_best_constant():
    assert differences(ordinal([1, 2, 2, 4], [2, 2, 1, 4])) == {
        -1: 0.25,
        0: 0.5,
        1: 0.25,
    }
    assert constant_within_1(ordinal([1, 2, 2, 4], [1, 1, 1, 1])) == 0.75
