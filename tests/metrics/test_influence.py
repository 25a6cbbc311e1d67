"""Contributions of images: their mean is the metric, their spread the jackknife's."""

import numpy as np
import pytest
from bakeoff.metrics import influence
from bakeoff.metrics.definitions import METRICS
from bakeoff.metrics.influence import contributions
from bakeoff.metrics.interface import OrderMetric, Outcomes

SUMMABLE = [m for m in METRICS.values() if not isinstance(m, OrderMetric)]


@pytest.fixture(scope="module")
def outcomes() -> Outcomes:
    rng = np.random.default_rng(0)
    truth = np.resize(np.arange(6), 47)
    raw = truth + 1 + rng.normal(0, 0.8, 47)
    scores = rng.dirichlet(np.ones(6), 47)
    return Outcomes(
        truth,
        np.clip(np.round(raw) - 1, 0, 5).astype(int),
        tuple("123456"),
        np.arange(1, 7.0),
        raw,
        scores,
        ordinal=True,
        kind="probability",
    )


@pytest.mark.parametrize("metric", SUMMABLE, ids=lambda m: m.name)
def test_contributions_by_leaving_every_image_out(metric, outcomes):
    found = contributions(metric, outcomes)
    n = len(found)
    without = [
        metric.value(outcomes.take(np.delete(np.arange(n), i))) for i in range(n)
    ]
    expected = metric.value(outcomes) + (n - 1) * (np.mean(without) - without)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert found.mean() == pytest.approx(metric.value(outcomes), rel=1e-12)


def test_contributions_to_a_mean_are_its_terms(outcomes):
    right = (outcomes.y_true == outcomes.y_pred).astype(float)
    assert contributions(METRICS["accuracy"], outcomes) == pytest.approx(right)


def test_blocks_change_nothing(outcomes, monkeypatch):
    whole = contributions(METRICS["macro_f1"], outcomes)
    monkeypatch.setattr(influence, "_CELLS_PER_BLOCK", 40)
    assert (contributions(METRICS["macro_f1"], outcomes) == whole).all()


def test_one_error_alone_leaves_rmse_defined(outcomes):
    one = outcomes.take(np.arange(6))
    raw = one.values[one.y_true].copy()
    raw[2] += 0.1
    only = Outcomes(one.y_true, one.y_true, one.classes, one.values, raw, ordinal=True)
    found = contributions(METRICS["rmse"], only)
    assert np.isfinite(found).all()
    assert found.mean() == pytest.approx(METRICS["rmse"].value(only))


def test_undefined_metrics_have_no_contributions(outcomes):
    single = outcomes.take(np.zeros(1, int))
    assert np.isnan(contributions(METRICS["accuracy"], single)).all()
    same = outcomes.take(np.zeros(5, int))
    alike = Outcomes(same.y_true, same.y_true, same.classes, same.values, ordinal=True)
    assert np.isnan(contributions(METRICS["qwk"], alike)).all()
