"""Wilson's interval of one share: its definition, statsmodels, and the edges."""

import math

import pytest
from bakeoff.stats.shares import wilson
from scipy.stats import norm
from statsmodels.stats.proportion import proportion_confint


def test_both_ends_are_where_the_score_test_begins_to_reject() -> None:
    n, count, z = 40, 11, norm.ppf(0.975)
    for p in wilson(count, n):
        assert abs(count - n * p) == pytest.approx(z * math.sqrt(n * p * (1 - p)))


@pytest.mark.parametrize(("count", "n"), [(0, 7), (7, 7), (3, 7), (2.5, 7), (400, 999)])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_agrees_with_statsmodels(count: float, n: int, confidence: float) -> None:
    theirs = proportion_confint(count, n, 1 - confidence, "wilson")
    assert wilson(count, n, confidence) == pytest.approx(theirs, abs=1e-12)


def test_the_edges_are_exact() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 50)[0] == 0.0
    assert wilson(50, 50)[1] == 1.0
    assert wilson(0, 50)[1] == pytest.approx(1 - wilson(50, 50)[0])
