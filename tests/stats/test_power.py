from itertools import product

import numpy as np
import pytest
from bakeoff.errors import BakeoffError
from bakeoff.stats.power import (
    detectable_difference,
    from_pilot,
    images_by_scaling,
    images_needed,
    least_p_of_flips,
)
from bakeoff.stats.proportions import mcnemar_midp

TABLE = {
    100: (None, 8.8, 12.4, 15.2),
    200: (4.4, 6.2, 8.8, 10.8),
    300: (3.6, 5.1, 7.2, 8.8),
    500: (2.8, 4.0, 5.6, 6.8),
    1000: (2.0, 2.8, 4.0, 4.8),
    1890: (1.4, 2.0, 2.9, 3.5),
    5000: (0.9, 1.3, 1.8, 2.2),
}


@pytest.mark.parametrize("n", TABLE)
def test_table_of_detectable_points(n: int):
    for disagreement, points in zip((0.05, 0.1, 0.2, 0.3), TABLE[n], strict=True):
        found = 100 * detectable_difference(n, disagreement)
        assert np.isnan(found) if points is None else round(found, 1) == points


def test_images_for_two_points():
    needed = [images_needed(0.02, d) for d in (0.05, 0.1, 0.2, 0.3)]
    # 978.7, 1959.9, 3922.1 and 5884.3: the first whole number that suffices.
    assert needed == [979, 1960, 3923, 5885]


def test_the_two_are_inverse():
    assert images_needed(detectable_difference(700, 0.15), 0.15) == 700


def test_power_is_what_it_says():
    rng, disagreement = np.random.default_rng(0), 0.2
    d = detectable_difference(500, disagreement)
    shares = [(disagreement + d) / 2, (disagreement - d) / 2, 1 - disagreement]
    tables = rng.multinomial(500, shares, size=2000)
    found = np.mean([mcnemar_midp(b, c) < 0.05 for b, c, _ in tables.tolist()])
    assert found == pytest.approx(0.8, abs=0.03)


def test_pilot():
    smallest, needed = from_pilot(15, 5, 100)
    assert smallest == detectable_difference(100, 0.2)
    assert needed == images_needed(0.1, 0.2)
    assert from_pilot(7, 7, 100)[1] == np.inf


def test_scaling_goes_by_the_square():
    assert images_by_scaling(100, 0.04, -0.02) == 400


@pytest.mark.parametrize(("d", "share"), [(0.2, 0.1), (0, 0.1), (0.1, 1.2)])
def test_impossible_differences_are_refused(d: float, share: float):
    with pytest.raises(BakeoffError, match="difference <= disagreement"):
        images_needed(d, share)


def test_least_p_of_flips_by_listing_them():
    """All units differ by 1: of 2^n ways to flip two have a mean as extreme."""
    for units in range(1, 8):
        signs = np.array(list(product([-1, 1], repeat=units)))
        extreme = abs(signs.mean(axis=1)) >= 1
        assert least_p_of_flips(units) == extreme.mean()
