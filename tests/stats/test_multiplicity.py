import numpy as np
from bakeoff.stats.multiplicity import benjamini_hochberg, holm
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

P = np.array([0.01, 0.04, 0.03, 0.005, 0.2])


def test_hand_case():
    np.testing.assert_allclose(holm(P), [0.04, 0.09, 0.09, 0.025, 0.2])
    np.testing.assert_allclose(benjamini_hochberg(P), [0.025, 0.05, 0.05, 0.025, 0.2])


def test_undefined_tests_take_no_part():
    with_gap = holm(np.append(P, np.nan))
    np.testing.assert_array_equal(with_gap[:-1], holm(P))
    assert np.isnan(with_gap[-1])
    assert len(holm(np.array([]))) == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_by_its_definition(p: list[float]):
    if len(p) > 1:
        theirs = multipletests(p, method="holm")[1]
        np.testing.assert_allclose(holm(np.array(p)), theirs, atol=1e-15)
    order, largest = np.argsort(p, kind="stable"), 0.0
    expected = np.empty(len(p))
    for place, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - place) * p[index]))
        expected[index] = largest
    np.testing.assert_allclose(holm(np.array(p)), expected, atol=1e-15)
