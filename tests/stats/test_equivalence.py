"""Two one-sided tests from an interval: by hand, and where the whole interval decides."""

from math import isnan

import numpy as np
import pytest
from bakeoff.stats.equivalence import tost_p
from bakeoff.stats.proportions import tango
from bakeoff.stats.result import Result
from scipy import stats


def test_of_a_t_test_by_hand():
    """0.3 with an error of 0.2 and 9 degrees of freedom, between -1 and 1."""
    half = stats.t.ppf(0.975, 9) * 0.2
    result = Result(10, 0.3, 0.3 - half, 0.3 + half, 1.5, 9, 0.17)
    above, below = stats.t.sf([(1 - 0.3) / 0.2, (1 + 0.3) / 0.2], 9)
    assert tost_p(result, 1.0) == pytest.approx(max(above, below))


@pytest.mark.parametrize("band", [0.005, 0.01, 0.02, 0.05])
def test_small_exactly_where_the_interval_lies_within_the_band(band: float):
    rng = np.random.default_rng(0)
    for n, b, c in zip(
        rng.integers(200, 9000, 300), *rng.integers(0, 60, (2, 300)), strict=True
    ):
        low, high = tango(int(b), int(c), int(n))
        p = tost_p(Result(n, (b - c) / n, low, high), band)
        assert (p <= 0.025) == (-band <= low and high <= band)


def test_an_interval_that_ends_at_the_estimate():
    assert tost_p(Result(9, 0.0, -0.01, 0.0), 0.02) == pytest.approx(0.025)
    assert tost_p(Result(9, 0.03, -0.01, 0.03), 0.02) == 1


def test_no_interval_no_p():
    assert isnan(tost_p(Result(9, 0.1), 0.01))
