"""The conservative bound, and what repeats can still bring."""

import numpy as np
import pytest
from bakeoff.stats.sensitivity import gain_by_repeats, sum_of_errors
from scipy import stats


def test_the_bound_by_hand():
    rng = np.random.default_rng(0)
    a, b = (rng.random((2, 200)) < [[0.8], [0.6]]).astype(float)
    result = sum_of_errors(a, b, np.arange(200))
    error = (a.std(ddof=1) + b.std(ddof=1)) / np.sqrt(200)
    half = stats.norm.ppf(0.975) * error
    assert (result.low, result.high) == pytest.approx(
        (a.mean() - b.mean() - half, a.mean() - b.mean() + half)
    )


def test_it_is_never_narrower_than_the_paired_interval():
    rng = np.random.default_rng(1)
    for _ in range(50):
        groups = rng.integers(0, 30, 200)
        a, b = (rng.random((2, 200)) < 0.7).astype(float)
        d, residual = a - b, 0.0
        sums = np.bincount(groups, d - d.mean())
        g = len(np.unique(groups))
        residual = np.sqrt(g / (g - 1) * (sums**2).sum()) / 200
        result = sum_of_errors(a, b, groups)
        assert result.high - result.low >= 2 * 1.959 * residual


def test_what_repeats_can_gain():
    """Ten folds: 1 / R + 10 / 9, of which 1 / R falls."""
    assert gain_by_repeats(10, 1) == pytest.approx(1 - np.sqrt((10 / 9) / (19 / 9)))
    assert gain_by_repeats(10, 10) == pytest.approx(0.0422, abs=5e-5)
    gains = [gain_by_repeats(5, r) for r in range(1, 50)]
    assert gains == sorted(gains, reverse=True)
    assert gains[-1] < 0.01
