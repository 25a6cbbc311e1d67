"""Friedman and its followers on the table of Demsar (2006)."""

import numpy as np
import pytest
from bakeoff.errors import BakeoffError
from bakeoff.stats.datasets import (
    critical_difference,
    friedman,
    hodges_lehmann,
    signed_rank_p,
    wilcoxon_holm,
)
from scipy import stats
from support.demsar import AUC


def test_published_ranks_and_statistics():
    scores = AUC.copy()
    scores[12, 2] = 0.97501
    result = friedman(scores)
    assert result.mean_ranks == pytest.approx([3.143, 2.0, 2.893, 1.964], abs=5e-4)
    assert result.chi2_plain == pytest.approx(9.278571, abs=5e-7)
    assert result.f == pytest.approx(3.686313, abs=5e-7)
    assert result.chi2 == pytest.approx(10.2283465, abs=5e-8)
    assert result.p == pytest.approx(0.0167216, abs=5e-8)
    assert result.f_p == pytest.approx(stats.f.sf(3.686313, 3, 39), abs=1e-7)


def test_table_as_printed():
    result = friedman(AUC)
    assert result.mean_ranks == pytest.approx([3.1429, 2, 2.9286, 1.9286], abs=5e-5)
    assert result.chi2_plain == pytest.approx(9.857, abs=5e-4)
    assert result.f == pytest.approx(3.987, abs=5e-4)
    assert result.chi2 == pytest.approx(10.9524, abs=5e-5)


def test_critical_differences():
    assert critical_difference(4, 14) == pytest.approx(1.2536, abs=5e-5)
    assert critical_difference(4, 14, 0.10) == pytest.approx(1.1181, abs=5e-5)
    unit = np.sqrt(6)
    for k, q in ((2, 1.960), (3, 2.343), (4, 2.569), (10, 3.164)):
        ours = critical_difference(k, 1) * unit / np.sqrt(k * (k + 1))
        assert ours == pytest.approx(q, abs=1.1e-3)


def test_signed_ranks_of_the_first_two():
    d = AUC[:, 1] - AUC[:, 0]
    z = stats.wilcoxon(np.round(d, 4), zero_method="zsplit", method="asymptotic")
    assert z.statistic == pytest.approx(12)
    p = signed_rank_p(np.round(d, 4), np.zeros(14))
    assert p == pytest.approx(0.01101, abs=2e-3)
    assert signed_rank_p(AUC[:, 0], AUC[:, 0]) == 1


def test_holm_over_the_pairs():
    pairs = wilcoxon_holm(AUC)
    assert len(pairs) == 6
    assert all(adjusted >= p for p, adjusted in pairs.values())
    assert min(adjusted for _, adjusted in pairs.values()) == pytest.approx(
        6 * min(p for p, _ in pairs.values())
    )


def test_all_tied_is_no_difference():
    assert friedman(np.ones((6, 3))).p == 1


@pytest.mark.parametrize("shape", [(4, 3), (9, 2)])
def test_too_few_data_sets_are_refused(shape: tuple[int, int]):
    with pytest.raises(BakeoffError, match="at least 5 data sets"):
        friedman(np.ones(shape))


def test_hodges_lehmann_by_hand():
    # Means of all pairs of 0, 1, 5: 0, 0.5, 2.5, 1, 3, 5.
    assert hodges_lehmann(np.array([5.0, 0.0, 1.0])) == 1.75
    assert hodges_lehmann(np.array([2.0])) == 2
