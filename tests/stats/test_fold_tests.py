"""Tests over folds: published and hand cases, baycomp, theory."""

import baycomp
import numpy as np
import pytest
from bakeoff.stats.fold_tests import five_by_two_f, nadeau_bengio, paired_t
from bakeoff.stats.result import Chances, Result
from bakeoff.stats.student import chances, detectable, equivalence_p, t_test
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

X = np.array([0.80, 0.82, 0.78, 0.85, 0.81, 0.79, 0.83, 0.84, 0.80, 0.82])
Y = np.array([0.78, 0.81, 0.79, 0.82, 0.80, 0.77, 0.82, 0.81, 0.78, 0.81])
NINTH = 1 / 9


def corrected_t(x: np.ndarray, ratio: float, confidence: float = 0.95) -> Result:
    return t_test(nadeau_bengio(x, ratio), confidence)


def correlated_chances(x: np.ndarray, ratio: float, band: float) -> Chances:
    return chances(nadeau_bengio(x, ratio), band)


def sample(mean: float, variance: float, n: int) -> np.ndarray:
    """N numbers with exactly this mean and variance."""
    x = np.random.default_rng(0).normal(size=n)
    return mean + np.sqrt(variance) * (x - x.mean()) / x.std(ddof=1)


def test_naive_t_of_the_hand_case():
    naive = t_test(paired_t(X - Y))
    assert naive.estimate == pytest.approx(0.015, abs=1e-12)
    assert naive.statistic == pytest.approx(4.0249224, abs=5e-8)
    assert naive.p == pytest.approx(0.0029957775, abs=5e-11)
    assert (naive.low, naive.high) == pytest.approx((0.0065694, 0.0234306), abs=5e-8)
    assert naive.p == pytest.approx(stats.ttest_rel(X, Y).pvalue, rel=1e-12)


def test_corrected_t_of_the_hand_case():
    corrected = corrected_t(X - Y, NINTH)
    assert corrected.statistic == pytest.approx(2.7701416, abs=5e-8)
    assert corrected.p == pytest.approx(0.0217484744, abs=5e-11)
    ends = (corrected.low, corrected.high)
    assert ends == pytest.approx((0.0027507, 0.0272493), abs=5e-8)
    assert (corrected.n, corrected.df) == (10, 9)


def test_chances_of_the_hand_case():
    none = correlated_chances(X - Y, NINTH, 0.0)
    assert (none.below, none.above) == pytest.approx(
        (0.0108742372, 0.9891257628), abs=5e-11
    )
    assert none.inside == pytest.approx(0, abs=1e-12)
    rope = correlated_chances(X - Y, NINTH, 0.01)
    assert (rope.below, rope.inside, rope.above) == pytest.approx(
        (0.0006299408, 0.1893194816, 0.8100505776), abs=5e-11
    )


def test_scikit_learn_example_from_its_mean_and_variance():
    x = sample(0.01, 0.00146667, 100)
    assert corrected_t(x, NINTH).statistic == pytest.approx(0.7503126954, abs=1e-6)
    assert corrected_t(x, NINTH).p / 2 == pytest.approx(0.2274229710, abs=1e-6)
    assert t_test(paired_t(x)).statistic == pytest.approx(2.6111648393, abs=4e-6)
    assert t_test(paired_t(x)).p / 2 == pytest.approx(0.0052130132, abs=1e-7)
    rope = correlated_chances(x, NINTH, 0.01)
    assert rope.inside == pytest.approx(0.4316825, abs=1e-6)
    assert rope.below == pytest.approx(0.0683175, abs=1e-6)
    assert rope.above == pytest.approx(0.5, abs=1e-9)
    for level, ends in (
        (0.50, (0.0009774, 0.0190226)),
        (0.75, (-0.0054221, 0.0254221)),
        (0.95, (-0.0164452, 0.0364452)),
    ):
        credible = corrected_t(x, NINTH, level)
        assert (credible.low, credible.high) == pytest.approx(ends, abs=2e-7)


def test_scikit_learn_example_from_its_data():
    from sklearn.datasets import make_moons
    from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
    from sklearn.svm import SVC

    data = make_moons(noise=0.352, random_state=1, n_samples=100)
    folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)

    def scores(**kernel: object) -> np.ndarray:
        return cross_val_score(
            SVC(random_state=0, **kernel), *data, cv=folds, scoring="roc_auc"
        )

    rbf, linear = scores(kernel="rbf"), scores(kernel="linear")
    assert (rbf.mean(), linear.mean()) == pytest.approx((0.94, 0.93), abs=1e-12)
    result = corrected_t(rbf - linear, 10 / 90)
    assert result.statistic == pytest.approx(0.7503126954, abs=5e-11)
    assert result.p / 2 == pytest.approx(0.2274229710, abs=5e-11)
    naive = t_test(paired_t(rbf - linear))
    assert naive.statistic == pytest.approx(2.6111648393, abs=5e-11)
    assert naive.p / 2 == pytest.approx(0.0052130132, abs=5e-11)
    worse, equal, better = baycomp.two_on_single(linear, rbf, rope=0.01, runs=10)[::1]
    ours = correlated_chances(linear - rbf, 10 / 90, 0.01)
    assert (ours.above, ours.inside, ours.below) == pytest.approx(
        (worse, equal, better), abs=1e-12
    )
    assert worse == pytest.approx(0.0683175418, abs=5e-11)


@given(
    arrays(float, st.integers(2, 5).map(lambda r: 10 * r), elements=st.floats(-1, 1)),
    st.sampled_from([0.0, 0.01, 0.2]),
)
def test_chances_equal_baycomp(differences: np.ndarray, band: float):
    if differences.std() < 1e-6:
        return
    zero = np.zeros_like(differences)
    runs = len(differences) // 10
    theirs = baycomp.two_on_single(differences, zero, rope=band, runs=runs)
    theirs = theirs if band else (theirs[0], 0.0, theirs[1])
    ours = correlated_chances(differences, NINTH, band)
    assert (ours.above, ours.inside, ours.below) == pytest.approx(theirs, abs=1e-9)


def test_one_sided_p_is_a_tail_of_the_posterior():
    p = corrected_t(X - Y, NINTH).p
    assert correlated_chances(X - Y, NINTH, 0).below == pytest.approx(p / 2, rel=1e-12)


@pytest.mark.parametrize("band", [0.02, 0.025, 0.03, 0.035])
def test_equivalence_agrees_with_the_90_percent_interval(band: float):
    ninety = corrected_t(X - Y, NINTH, 0.90)
    inside = -band < ninety.low and ninety.high < band
    assert (equivalence_p(nadeau_bengio(X - Y, NINTH), band) < 0.05) == inside


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_equal_differences_say_nothing_of_their_error(value: float):
    same = np.full(10, value)
    result = corrected_t(same, NINTH)
    assert result.estimate == pytest.approx(value)
    chances = correlated_chances(same, NINTH, 0.05)
    numbers = [result.low, result.high, result.statistic, result.p, chances.above,
               chances.inside, chances.below, detectable(nadeau_bengio(same, NINTH)),
               equivalence_p(nadeau_bengio(same, NINTH), 0.05)]  # fmt: skip
    assert np.isnan(numbers).all()


@pytest.mark.parametrize("bad", [[0.1], [], [0.1, np.nan]])
def test_too_few_or_undefined_folds_are_refused(bad: list[float]):
    with pytest.raises(ValueError, match="at least 2 finite"):
        corrected_t(np.array(bad), NINTH)


def test_detectable_difference_is_found_eight_times_of_ten():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(4000, 20))
    sizes = [detectable(paired_t(row)) for row in noise]
    shift = np.sqrt(np.mean(np.square(sizes)))
    found = np.mean([t_test(paired_t(row + shift)).p < 0.05 for row in noise])
    assert found == pytest.approx(0.8, abs=0.03)


def test_corrected_t_holds_its_level_under_its_own_model():
    """Differences with the correlation that the correction assumes: 5 % errors."""
    rng, j = np.random.default_rng(2), 10
    rho = 0.1  # n_test / (n_test + n_train); the correction's ratio is rho / (1 - rho)
    shared = rng.normal(size=(4000, 1)) * np.sqrt(rho)
    own = rng.normal(size=(4000, j)) * np.sqrt(1 - rho)
    wrong = np.mean([corrected_t(x, rho / (1 - rho)).p < 0.05 for x in shared + own])
    naive = np.mean([t_test(paired_t(x)).p < 0.05 for x in shared + own])
    assert wrong == pytest.approx(0.05, abs=0.014)
    assert naive > 0.10


def test_five_by_two_formula_case():
    x = np.array([[0.02, 0.01], [0.03, 0], [0.01, 0.02], [0.02, 0.02], [0, 0.03]])
    result = five_by_two_f(x)
    assert result.statistic == pytest.approx(1.8, abs=1e-12)
    assert result.p == pytest.approx(0.2680873, abs=5e-8)
    assert np.isnan(five_by_two_f(np.zeros((5, 2))).p)
    with pytest.raises(ValueError, match=r"\(5, 2\)"):
        five_by_two_f(np.zeros((2, 5)))
