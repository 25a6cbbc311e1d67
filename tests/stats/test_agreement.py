"""Symmetry and margins of square tables: published tables and statsmodels."""

import numpy as np
import pytest
from bakeoff.stats.agreement import (
    above_below,
    bhapkar,
    bowker,
    evans_hoenig,
    stuart_maxwell,
)
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.stats.contingency_tables import SquareTable

SMALL = np.array([[20, 10, 5], [3, 30, 15], [0, 5, 40]])
VISION = np.array(
    [
        [1520, 266, 124, 66],
        [234, 1512, 432, 78],
        [117, 362, 1772, 205],
        [36, 82, 179, 492],
    ]
)


def crossed(rows: list[int], columns: list[int]) -> np.ndarray:
    table = np.zeros((3, 3))
    np.add.at(table, (np.array(rows) - 1, np.array(columns) - 1), 1)
    return table


X = crossed([2] * 8, [1] * 4 + [3] * 4)
Y = crossed([1, 1, 1, 2, 2, 2], [2, 2, 3, 3, 3, 3])
Z = crossed([1, 1, 1, 2, 2, 2, 3], [2, 2, 2, 3, 3, 3, 1])


@pytest.mark.parametrize(
    ("table", "pooled", "by_distance", "by_cell"),
    [
        (X, (0, 1, 1), (0, 1, 1), (8, 2, 0.0183)),
        (Y, (6, 1, 0.0143), (6, 2, 0.0498), (6, 3, 0.1116)),
        (Z, (3.5714, 1, 0.0588), (7, 2, 0.0302), (7, 3, 0.0719)),
    ],
)
def test_tables_of_evans_and_hoenig(table, pooled, by_distance, by_cell):
    for test, expected in (
        (above_below, pooled),
        (evans_hoenig, by_distance),
        (bowker, by_cell),
    ):
        result = test(table)
        assert (result.statistic, result.df, result.p) == pytest.approx(
            expected, abs=5e-5
        )


def test_small_table():
    result = bowker(SMALL)
    assert result.statistic == pytest.approx(13.7692307692, abs=5e-11)
    assert (result.df, result.p) == pytest.approx((3, 0.0032367065), abs=5e-11)
    margins = stuart_maxwell(SMALL)
    assert margins.statistic == pytest.approx(13.7647058824, abs=5e-11)
    assert (margins.df, margins.p) == pytest.approx((2, 0.0010257277), abs=5e-11)
    # S = 234/17 and n = 128 give S / (1 - S/n) = 29952/1942.
    assert bhapkar(SMALL).statistic == pytest.approx(29952 / 1942, abs=5e-11)


def test_two_by_two_table():
    table = np.array([[23, 15], [19, 31]])
    assert stuart_maxwell(table).statistic == pytest.approx(0.4705882353, abs=5e-11)
    assert bhapkar(table).statistic == pytest.approx(0.4731182796, abs=5e-11)


def test_vision_of_7477_women():
    assert VISION.sum() == 7477
    for test, statistic, df, p in (
        (bowker, 19.1065502, 6, 0.0039874),
        (stuart_maxwell, 11.9565696, 3, 0.0075334),
        (bhapkar, 11.9757202, 3, 0.0074668),
    ):
        result = test(VISION)
        assert result.statistic == pytest.approx(statistic, abs=5e-8)
        assert (result.df, result.p) == pytest.approx((df, p), abs=5e-8)


tables = arrays(int, (4, 4), elements=st.integers(1, 50))


@given(tables)
def test_full_tables_agree_with_statsmodels(table: np.ndarray):
    theirs = SquareTable(table, shift_zeros=False)
    assert bowker(table).statistic == pytest.approx(theirs.symmetry().statistic)
    assert stuart_maxwell(table).statistic == pytest.approx(
        theirs.homogeneity("stuart_maxwell").statistic, abs=1e-9
    )
    assert bhapkar(table).statistic == pytest.approx(
        theirs.homogeneity("bhapkar").statistic, abs=1e-9
    )


@given(arrays(int, (4, 4), elements=st.integers(0, 3)))
def test_empty_categories_change_nothing(table: np.ndarray):
    wide = np.zeros((7, 7))
    wide[:4, :4] = table
    for test in (bowker, evans_hoenig, stuart_maxwell):
        ours, wider = test(table), test(wide)
        assert (wider.statistic, wider.df) == pytest.approx((ours.statistic, ours.df))


def test_perfect_agreement_shows_nothing():
    table = np.diag([3, 4, 5])
    for test in (bowker, evans_hoenig, stuart_maxwell, bhapkar):
        assert test(table).p == 1


def test_distance_goes_by_label_value():
    """Ages 1, 2, 9: a gap of seven years is not a gap of one class."""
    table = np.array([[0, 4, 0], [0, 0, 0], [0, 4, 0]])
    assert evans_hoenig(table).p == 1
    assert evans_hoenig(table, np.array([1, 2, 9])).statistic == 8
