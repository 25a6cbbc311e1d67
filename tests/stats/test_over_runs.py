"""Standard errors over runs: by hand, in plain numpy, invariances, brute force."""

import numpy as np
import pytest
from bakeoff.stats.over_runs import (
    Layout,
    bounded,
    crossed,
    drawn,
    over_folds,
    over_holdouts,
    over_runs,
    variance_of_mean,
)
from bakeoff.stats.student import t_test
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

TENFOLD = Layout("folds", 60, 10 / 9, 1.0)
RNG = np.random.default_rng(0)
ALONE = np.arange(60)
FIVES = np.repeat(np.arange(12), 5)


def differences(repeats: int, n: int = 60, seed: int = 0) -> np.ndarray:
    """1, 0 and -1, alike in all repeats but for some images."""
    rng = np.random.default_rng(seed)
    common = rng.integers(-1, 2, n)
    moved = rng.random((repeats, n)) < 0.3
    return np.where(moved, rng.integers(-1, 2, (repeats, n)), common).astype(float)


def test_variance_of_a_mean_of_images_and_of_groups():
    x = differences(1)[0]
    assert variance_of_mean(x, ALONE) == pytest.approx(x.var(ddof=1) / 60)
    # Equal groups: the sample variance of their means, over their number.
    means = x.reshape(12, 5).mean(axis=1)
    assert variance_of_mean(x, FIVES) == pytest.approx(means.var(ddof=1) / 12)
    hole = np.append(x, np.nan)
    assert variance_of_mean(hole, np.append(FIVES, 3)) == variance_of_mean(x, FIVES)
    assert np.isnan(variance_of_mean(x, np.zeros(60, int)))


def test_one_repeat_of_folds_is_the_corrected_variance_of_the_images():
    x = differences(1)
    e = over_folds(x.mean(), x, ALONE, TENFOLD)
    assert e.error**2 == pytest.approx(x.var(ddof=1) / 60 * (1 + 10 / 9))
    assert (e.df, e.units, e.value) == (59, 60, x.mean())


def test_nadeau_bengio_is_the_same_on_average():
    """Folds of independent differences: both take s^2 (1/J + ratio) for the variance."""
    ours, theirs = [], []
    for seed in range(400):
        x = np.random.default_rng(seed).normal(size=(1, 60))
        ours.append(over_folds(0, x, ALONE, TENFOLD).error ** 2)
        folds = x.reshape(10, 6).mean(axis=1)
        theirs.append(folds.var(ddof=1) * (1 / 10 + 1 / 9))
    assert np.mean(ours) == pytest.approx(np.mean(theirs), rel=0.06)
    assert np.std(ours) < 0.5 * np.std(theirs)


def test_repeated_folds_of_groups_in_plain_numpy():
    x, repeats = differences(4), 4
    by_group = x.reshape(4, 12, 5).sum(axis=2) - 5 * x.mean(axis=1, keepdims=True)
    a = np.mean(12 / 11 * (by_group**2).sum(axis=1) / 60**2)
    alone = np.mean(x.var(axis=1, ddof=1) / 60)
    v = x.mean(axis=1).var(ddof=1)
    expected = a * (1 / repeats + 10 / 9) + v * max(1, a / alone)
    e = over_folds(x.mean(), x, FIVES, TENFOLD)
    assert e.error**2 == pytest.approx(expected)
    assert e.df == 11


def test_one_grouped_pair_changes_almost_nothing():
    """And the more pairs, the more; no jump between single images and groups."""
    x = np.repeat(differences(3, 30), 2, axis=1)
    halves = []
    for pairs in range(31):
        units = np.maximum(np.arange(60) - pairs, np.arange(60) // 2)
        result = t_test(over_folds(x.mean(), x, units, TENFOLD))
        halves.append(result.high - result.estimate)
    steps = np.diff(halves)
    assert halves[1] == pytest.approx(halves[0], rel=0.05)
    assert halves[-1] > 1.2 * halves[0]
    assert np.abs(steps).max() < 0.15 * halves[0]


def test_hold_outs_in_plain_numpy():
    x = differences(5)
    for row in x:
        row[RNG.permutation(60)[12:]] = np.nan
    layout = Layout("holdout", 60, 60 / 48, 1.0)
    a = np.mean([np.nanvar(row, ddof=1) / 12 * 12 / 60 for row in x])
    tested = np.isfinite(x).any(axis=0).sum()
    e = over_holdouts(0.1, x, ALONE, layout)
    assert e.error**2 == pytest.approx(a * (1 + 60 / 48))
    assert e.df == tested - 1
    fewer = Layout("holdout", 60, 60 / 48, 0.4)
    assert over_holdouts(0, x[:2], ALONE, fewer).error ** 2 == pytest.approx(
        np.mean([np.nanvar(row, ddof=1) / 60 for row in x[:2]]) * (2.5 + 1.25)
    )


def test_smooth_metrics_take_four_times_a_or_their_refits():
    x = RNG.normal(size=(3, 60))
    a = np.mean(x.var(axis=1, ddof=1) / 60)
    layout = Layout("folds", 60, 10 / 9, 3.0)
    assert bounded(0, x, ALONE, layout).error ** 2 == pytest.approx(4 * a)
    assert bounded(0, x, ALONE, layout, 2 * a).error ** 2 == pytest.approx(2 * a)
    assert bounded(0, x, ALONE, layout, 5 * a).error ** 2 == pytest.approx(4 * a)
    smooth = over_runs(0, x, ALONE, layout, smooth=True)
    assert smooth == bounded(0, x, ALONE, layout)
    assert over_runs(0, x, ALONE, layout) == over_folds(0, x, ALONE, layout)


def test_crossed_draws_in_plain_numpy():
    x, f = differences(8) + RNG.normal(0, 0.3, (8, 1)), 0.4
    r, n = x.shape
    m, rows, columns = x.mean(), x.mean(axis=1), x.mean(axis=0)
    rest = x - rows[:, None] - columns + m
    residual = (rest**2).sum() / ((r - 1) * (n - 1))
    v_i, v_r = columns.var(ddof=1) / n, rows.var(ddof=1)
    training, weight = max(0, v_r - residual / n), 1 / r + f / (1 - f)
    e = crossed(m, x, ALONE, f)
    assert e.error**2 == pytest.approx(v_i + training * weight)
    parts = v_i**2 / (n - 1) + (weight * v_r) ** 2 / (r - 1)
    assert e.df == pytest.approx(e.error**4 / parts)
    both = drawn(m, x, ALONE, f).error ** 2
    coherent = (np.sqrt(v_i) + np.sqrt(training * f / (1 - f))) ** 2 + training / r
    assert both == pytest.approx(coherent)


def test_crossed_variance_is_unbiased_in_its_own_model():
    """Images, draws and both, with draws without replacement from a pool of effects."""
    n, pool, drawn_each, r = 40, 60, 20, 6
    values, estimates = [], []
    for seed in range(1500):
        rng = np.random.default_rng(seed)
        images, effects = rng.normal(0, 1, n), rng.normal(0, 3, pool)
        draws = [effects[rng.permutation(pool)[:drawn_each]].mean() for _ in range(r)]
        x = images + np.array(draws)[:, None] + rng.normal(0, 1, (r, n))
        values.append(x.mean())
        estimates.append(crossed(x.mean(), x, np.arange(n), drawn_each / pool).error)
    assert np.mean(np.square(estimates)) == pytest.approx(np.var(values), rel=0.12)


def test_a_pool_and_its_draws_by_brute_force():
    """All draws of 2 of 5: variance of a draw x f / (1 - f) is the pool's, of a mean."""
    from itertools import combinations

    rng = np.random.default_rng(3)
    within, between = [], []
    for _ in range(4000):
        pool = rng.normal(size=5)
        means = [np.mean(pair) for pair in combinations(pool, 2)]
        within.append(np.mean((means - pool.mean()) ** 2))
        between.append(pool.mean())
    f = 2 / 5
    assert np.mean(within) * f / (1 - f) == pytest.approx(np.var(between), rel=0.06)


@given(arrays(float, (3, 20), elements=st.floats(-1, 1)), st.permutations(range(20)))
def test_neither_the_order_nor_the_sign_matters(x: np.ndarray, order: list[int]):
    units = np.arange(20) // 3
    for layout in (
        Layout("folds", 20, 1.25, 3.0),
        Layout("holdout", 20, 1.25, 3.0),
        Layout("crossed", 20, 0, 0, 0.3),
        Layout("drawn", 20, 0, 0, 0.3),
    ):
        ours = over_runs(1.0, x, units, layout)
        moved = over_runs(-1.0, -x[::-1, order], units[order], layout)
        assert moved.error == pytest.approx(ours.error, abs=1e-9)
        assert moved.df == pytest.approx(ours.df, rel=1e-6)


@pytest.mark.parametrize("kind", ["folds", "holdout", "crossed", "drawn"])
def test_equal_differences_say_nothing_of_their_error(kind):
    layout = Layout(kind, 60, 1.1, 3.0, 0.2)
    for value in (0.0, 0.1):
        e = over_runs(value, np.full((3, 60), value), ALONE, layout)
        assert not e.varies
        assert np.isnan([t_test(e).p, t_test(e).low]).all()
