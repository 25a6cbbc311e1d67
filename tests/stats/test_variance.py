import numpy as np
import pytest
from bakeoff.stats.variance import compare_seeds, crossed_components, nested_components


def test_crossed_by_hand():
    """Rows 0 and 2 apart, columns equal, no residual: var(0, 2) = 2."""
    values = np.array([[0.0, 0.0, 0.0], [2.0, 2.0, 2.0]])
    parts = crossed_components(values, ["encoder", "fold"])
    assert parts == pytest.approx({"encoder": 2, "fold": 0, "residual": 0})


def test_crossed_recovers_what_was_put_in():
    rng = np.random.default_rng(0)
    sums = np.zeros(3)
    for _ in range(400):
        x = rng.normal(0, 1, (6, 1, 1)) + rng.normal(0, 2, (1, 8, 1))
        x = x + rng.normal(0, 0.5, (6, 8, 5))
        parts = crossed_components(x, ["encoder", "fold", "seed"])
        sums += [parts["encoder"], parts["fold"], parts["residual"]]
    assert sums / 400 == pytest.approx([1, 4, 0.25], rel=0.1)


def test_nested_by_hand():
    between, within = nested_components(np.array([[0.0, 2.0], [4.0, 6.0]]))
    assert within == 2
    assert between == 8 - 2 / 2
    assert nested_components(np.array([[0.0, 2.0], [2.0, 0.0]]))[0] == 0


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="does not fit"):
        crossed_components(np.ones((3, 1)), ["encoder", "fold"])
    with pytest.raises(ValueError, match="2 x 2"):
        nested_components(np.ones((3, 1)))


def test_seeds_by_hand():
    seeds = compare_seeds(np.array([3.0, 5.0]), np.array([3.0, 4.0]))
    assert (seeds.mean_a, seeds.mean_b) == (4.0, 3.5)
    assert seeds.sd_a == pytest.approx(np.sqrt(2))
    assert seeds.p_higher == (0 + 0.5 + 1 + 1) / 4
    assert np.isnan(compare_seeds(np.array([1.0]), np.array([2.0])).sd_a)


def test_nested_by_hand_with_more_levels_than_replicates():
    # Within: 2, 2, 2. Means 1, 4, 7 vary by 9, of which 2 / 2 is from within.
    values = np.array([[0.0, 2.0], [3.0, 5.0], [6.0, 8.0]])
    assert nested_components(values) == pytest.approx((9 - 1, 2))
