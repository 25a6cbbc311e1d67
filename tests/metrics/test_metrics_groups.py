"""Shares of images in groups: how many independent images they are worth."""

import numpy as np
import pandas as pd
import pytest
from bakeoff.figures.intervals import overall
from bakeoff.metrics.effective import effective_images
from bakeoff.stats.proportions import clustered_difference
from bakeoff.stats.shares import wilson


def test_groups_that_are_all_right_or_all_wrong_count_once():
    """20 groups of 5 equal images: about 20 images, by hand 20 * 19 / 20."""
    right = np.repeat([1, 0], 10)
    assert effective_images(np.repeat(right, 5), np.repeat(np.arange(20), 5), 100) == (
        pytest.approx(19)
    )


def test_as_the_cluster_robust_error():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 40, 300)
    terms = (rng.random(300) < rng.beta(2, 2, 40)[groups]).astype(float)
    p, result = terms.mean(), clustered_difference(terms, groups)
    error = p / result.statistic
    units = effective_images(terms, groups, 300)
    assert units == pytest.approx(p * (1 - p) / error**2)
    assert units < 300


def test_never_more_than_the_images_nor_less_than_the_groups_if_nothing_varies():
    alone = np.array([1, 0] * 50)
    assert effective_images(np.tile(alone, 3), np.tile(np.arange(100), 3), 100) <= 100
    assert effective_images(np.ones(100), np.repeat(np.arange(20), 5), 100) == 20


def test_the_interval_of_a_bar_is_that_of_its_groups():
    """Without the column the interval would be that of 100 images."""
    row = {"repeat": -1, "fold": -1, "value": 0.5, "numerator": 50, "denominator": 100}
    found = overall(pd.DataFrame([row | {"units": 19.0}]))
    assert (found.low, found.high) == wilson(9.5, 19)
    alone = overall(pd.DataFrame([row | {"units": np.nan}]))
    assert (alone.low, alone.high) == wilson(50, 100)
