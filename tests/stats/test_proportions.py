"""McNemar and intervals of paired proportions: published tables, scipy, coverage."""

import numpy as np
import pytest
from bakeoff.stats.proportions import (
    bonett_price,
    clustered_difference,
    mcnemar_exact,
    mcnemar_midp,
    newcombe,
    paired_shares,
    tango,
)
from bakeoff.stats.student import t_test
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

# Airway hyper-responsiveness before and after transplantation: [[1, 1], [7, 12]].
B, C, BOTH, NEITHER = 1, 7, 1, 12


def test_p_of_the_airway_table():
    assert mcnemar_exact(B, C) == pytest.approx(0.0703125, abs=5e-8)
    assert mcnemar_midp(B, C) == pytest.approx(0.0390625, abs=5e-8)


@pytest.mark.parametrize(
    ("b", "c", "exact", "midp"),
    [
        (25, 15, 0.1538599, 0.1172752),
        (11, 1, 0.0063477, 0.0034180),
        (16, 6, 0.0524788, 0.0346897),
    ],
)
def test_p_of_printed_tables(b: int, c: int, exact: float, midp: float):
    assert mcnemar_exact(b, c) == pytest.approx(exact, abs=5e-8)
    assert mcnemar_midp(b, c) == pytest.approx(midp, abs=5e-8)
    assert mcnemar_midp(c, b) == pytest.approx(midp, abs=5e-8)


def test_p_where_nothing_tells_the_two_apart():
    assert mcnemar_exact(0, 0) == mcnemar_midp(0, 0) == 1
    assert mcnemar_midp(4, 4) == pytest.approx(1 - stats.binom.pmf(4, 8, 0.5) / 2)


def test_intervals_of_the_airway_table():
    n = B + C + BOTH + NEITHER
    assert bonett_price(B, C, n) == pytest.approx((-0.5084, -0.0134), abs=5e-5)
    assert newcombe(B, C, BOTH, NEITHER) == pytest.approx((-0.5069, -0.0256), abs=5e-5)
    assert tango(B, C, n) == pytest.approx((-0.5172, -0.0260), abs=5e-5)


counts = st.integers(0, 60)


@given(counts, counts, counts, counts)
def test_intervals_hold_the_estimate_and_mirror(
    b: int, c: int, both: int, neither: int
):
    n = b + c + both + neither
    if not n:
        return
    for interval, mirrored in (
        (tango(b, c, n), tango(c, b, n)),
        (newcombe(b, c, both, neither), newcombe(c, b, both, neither)),
    ):
        assert -1 <= interval[0] <= (b - c) / n + 1e-9
        assert (b - c) / n - 1e-9 <= interval[1] <= 1
        assert interval == pytest.approx((-mirrored[1], -mirrored[0]), abs=1e-7)


@given(counts, counts, st.integers(0, 60))
def test_tango_ends_are_where_the_score_test_stops_rejecting(b: int, c: int, rest: int):
    """Independent route: maximise the multinomial likelihood on a grid of q."""
    n = b + c + rest
    if b + c < 4 or rest < 4:
        return
    for end in tango(b, c, n):
        if not -0.95 < end < 0.95:
            continue
        q = np.linspace(max(0, -end), (1 - end) / 2, 40_001)[1:-1]
        parts = ((c, q), (b, q + end), (rest, 1 - 2 * q - end))
        with np.errstate(divide="ignore"):
            likelihood = sum(k * np.log(p) for k, p in parts if k)
        best = q[np.argmax(likelihood)]
        z = (b - c - n * end) / np.sqrt(n * (2 * best + end - end**2))
        assert abs(z) == pytest.approx(1.959964, abs=2e-2)


@pytest.mark.parametrize("share", [(0.10, 0.10), (0.15, 0.05)])
def test_coverage_of_the_intervals(share: tuple[float, float]):
    n, p = 100, [*share, 0.6, 1 - 0.6 - sum(share)]
    tables = np.random.default_rng(3).multinomial(n, p, size=1500)
    truth = share[0] - share[1]
    inside = np.zeros(3)
    for b, c, both, neither in tables.tolist():
        ends = (
            tango(b, c, n),
            newcombe(b, c, both, neither),
            bonett_price(b, c, n),
        )
        inside += [low <= truth <= high for low, high in ends]
    assert (inside / len(tables) > 0.935).all()


def test_midp_keeps_its_level():
    tables = np.random.default_rng(4).multinomial(100, [0.1, 0.1, 0.8], size=3000)
    wrong = np.mean([mcnemar_midp(b, c) < 0.05 for b, c, _ in tables.tolist()])
    assert 0.03 < wrong < 0.06


def test_clustered_difference_of_single_images_is_the_t_test():
    x = np.random.default_rng(5).normal(0.2, 1, 40)
    ours = t_test(clustered_difference(x, np.arange(40)))
    theirs = stats.ttest_1samp(x, 0)
    assert (ours.statistic, ours.p) == pytest.approx((theirs.statistic, theirs.pvalue))


def test_copied_images_add_no_evidence():
    x = np.random.default_rng(6).integers(-1, 2, 30).astype(float)
    once = clustered_difference(x, np.arange(30))
    fourfold = clustered_difference(np.repeat(x, 4), np.repeat(np.arange(30), 4))
    assert fourfold.error == pytest.approx(once.error, rel=1e-12)
    assert (fourfold.value, fourfold.df) == (pytest.approx(once.value), once.df)


def test_clustered_difference_without_spread():
    assert not clustered_difference(np.zeros(4), np.array([1, 1, 2, 2])).varies
    # Two groups that agree are no proof: there is no p, least of all one of zero.
    assert np.isnan(t_test(clustered_difference(np.ones(4), np.array([1, 1, 2, 2]))).p)
    assert not clustered_difference(np.ones(4), np.zeros(4)).varies


def test_the_interval_of_paired_shares_holds_zero_where_p_does_not_reject():
    disagreeing = 0
    for n in (12, 40, 150):
        for b in range(12):
            for c in range(12 - b):
                result = paired_shares(b, c, n)
                assert (result.low <= 0 <= result.high) == (result.p > 0.05), (b, c)
                assert result.p >= mcnemar_midp(b, c)
                low, high = tango(b, c, n)
                assert result.low <= low and high <= result.high
                disagreeing += (low <= 0 <= high) != (mcnemar_midp(b, c) > 0.05)
    assert disagreeing > 5  # the two as they were: not one test


def test_paired_shares_by_hand():
    # Four against none: the score test alone would call them different, p = 0.0455.
    four = paired_shares(4, 0, 30)
    assert (four.p, four.low) == (pytest.approx(0.0625), 0.0)
    many = paired_shares(25, 15, 10_000)
    assert (many.low, many.high) == tango(25, 15, 10_000)
    assert many.p == mcnemar_midp(25, 15)
    assert (paired_shares(0, 0, 50).p, paired_shares(0, 0, 50).estimate) == (1, 0)
