"""Resampling: the definition image by image, exact tests, theory."""

import itertools

import numpy as np
import pytest
import stambo
from bakeoff.metrics.definitions import METRICS
from bakeoff.metrics.interface import Outcomes
from bakeoff.stats import resampling
from bakeoff.stats.proportions import mcnemar_exact
from bakeoff.stats.resampling import (
    bootstrap,
    jackknife,
    jackknife_error,
    merged,
    percentile_interval,
    sign_flip,
    terms_of,
)
from scipy import stats
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score

NAMES = [
    "accuracy",
    "macro_recall",
    "macro_precision",
    "macro_f1",
    "within_1",
    "rmse",
    "rmse_rounded",
    "mae",
    "bias",
    "qwk",
]
ALL = [METRICS[name] for name in NAMES]


def taken(o: Outcomes, rows: np.ndarray) -> Outcomes:
    return Outcomes(
        o.y_true[rows],
        o.y_pred[rows],
        o.classes,
        o.values,
        None if o.raw is None else o.raw[rows],
    )


def test_observed_is_the_metric_itself(pair):
    for outcomes in pair:
        ours = terms_of(outcomes, ALL).observed()
        assert ours == pytest.approx([m.value(outcomes) for m in ALL], abs=1e-12)


class DrawnAsStambo:
    """What `bootstrap` asks of a generator, answered with stambo's own draws."""

    def __init__(self, seed: int) -> None:
        self.state = np.random.RandomState(seed)

    def integers(self, low: int, high: int, size: tuple[int, int]) -> np.ndarray:
        draws = [self.state.choice(high, size[0]) for _ in range(size[1])]
        return np.stack(draws, axis=1)


@pytest.mark.parametrize("grouped", [False, True])
def test_bootstrap_equals_stambo_replicate_by_replicate(pair, grouped):
    """The same draws give the same replicates and the same interval."""
    names = ["accuracy", "macro_f1", "qwk", "rmse"]
    theirs = {
        "accuracy": lambda s: accuracy_score(*s.T),
        "macro_f1": lambda s: f1_score(*s.T, average="macro"),
        "qwk": lambda s: cohen_kappa_score(*s.T, weights="quadratic"),
        "rmse": lambda s: np.sqrt(((s[:, 0] - s[:, 1]) ** 2).mean()),
    }
    plain = [Outcomes(o.y_true, o.y_pred, o.classes, o.values) for o in pair]
    samples = tuple(np.column_stack([o.y_true, o.y_pred]) for o in plain)
    groups = np.arange(60) // 3 if grouped else None
    drawn = stambo.bootstrap_arrays(
        samples, theirs, groups=groups, n_bootstrap=300, seed=11, silent=True
    )
    found = stambo.pairwise_bootstrap_test(
        samples, theirs, bootstrap_results=drawn, correction=None
    )
    terms = [terms_of(o, [METRICS[n] for n in names], groups) for o in plain]
    ours = bootstrap(terms, 300, DrawnAsStambo(11))
    for m, name in enumerate(names):
        assert pytest.approx(drawn[name], abs=1e-12) == ours[:, m].T
        ours_interval = percentile_interval(ours[1, m] - ours[0, m])
        assert ours_interval == pytest.approx(found[name]["0 / 1"]["ci_es"], abs=1e-12)


def test_bootstrap_is_the_metric_of_the_drawn_images(pair):
    """The same generator, image by image, one metric at a time."""
    ours = bootstrap([terms_of(o, ALL) for o in pair], 5, np.random.default_rng(7))
    drawn = np.random.default_rng(7).integers(0, 60, (60, 5))
    for e, outcomes in enumerate(pair):
        for r in range(5):
            resample = taken(outcomes, drawn[:, r])
            direct = [m.value(resample) for m in ALL]
            assert ours[e, :, r] == pytest.approx(direct, abs=1e-12)


def test_more_replicates_than_a_block(pair):
    values = bootstrap([terms_of(o, ALL) for o in pair], 257, np.random.default_rng(0))
    assert values.shape == (2, len(ALL), 257)
    assert np.isfinite(values).all()


def test_whole_groups_are_drawn(pair):
    """With two groups a resample is one of three mixtures."""
    groups = np.repeat(["x", "y"], 30)
    accuracy = [METRICS["accuracy"]]
    ours = bootstrap(
        [terms_of(pair[0], accuracy, groups)], 200, np.random.default_rng(0)
    )
    first, second = (
        METRICS["accuracy"].value(taken(pair[0], np.arange(s, s + 30))) for s in (0, 30)
    )
    possible = [first, second, (first + second) / 2]
    assert {round(v, 9) for v in ours.ravel()} == {round(v, 9) for v in possible}


def test_single_image_groups_are_images(pair):
    groups = np.arange(60)
    plain = bootstrap([terms_of(pair[0], ALL)], 9, np.random.default_rng(1))
    grouped = bootstrap([terms_of(pair[0], ALL, groups)], 9, np.random.default_rng(1))
    np.testing.assert_allclose(plain, grouped, atol=1e-12)


def test_bootstrap_spread_of_accuracy_is_binomial(pair):
    difference = bootstrap(
        [terms_of(o, [METRICS["accuracy"]]) for o in pair],
        4000,
        np.random.default_rng(2),
    )
    gap = (difference[0] - difference[1]).ravel()
    x = (pair[0].y_true == pair[0].y_pred) * 1.0 - (pair[1].y_true == pair[1].y_pred)
    assert gap.std() == pytest.approx(x.std() / np.sqrt(60), rel=0.05)
    low, high = percentile_interval(gap)
    assert (low + high) / 2 == pytest.approx(x.mean(), abs=0.02)


def test_sign_flip_of_accuracy_is_exact_mcnemar(pair):
    a, b = (o.y_true == o.y_pred for o in pair)
    exact = mcnemar_exact(int((a & ~b).sum()), int((b & ~a).sum()))
    terms = [terms_of(o, [METRICS["accuracy"]]) for o in pair]
    p = sign_flip(terms, [(0, 1), (1, 0)], 20_000, np.random.default_rng(3))
    assert p[:, 0] == pytest.approx([exact, exact], abs=0.008)


def test_sign_flip_enumerated():
    """Six images, all 64 exchanges: every metric's exact p, by brute force."""
    rng = np.random.default_rng(4)
    truth = np.array([0, 0, 1, 1, 2, 2])
    a, b = rng.integers(0, 3, (2, 6))
    names = ("0", "1", "2")
    values = np.array([1.0, 2.0, 9.0])

    def outcomes(predicted: np.ndarray) -> Outcomes:
        return Outcomes(truth, predicted, names, values)

    metrics = [METRICS[m] for m in ("macro_recall", "mae", "bias")]
    terms = [terms_of(outcomes(x), metrics) for x in (a, b)]
    magnitude = np.array([False, False, True])
    p = sign_flip(
        terms, [(0, 1)], 30_000, np.random.default_rng(5), magnitude=magnitude
    )
    for column, metric in enumerate(metrics):
        size = abs if magnitude[column] else float

        def gap(x: np.ndarray, y: np.ndarray, metric=metric, size=size) -> float:
            return size(metric.value(outcomes(x))) - size(metric.value(outcomes(y)))

        flips = np.array(list(itertools.product([False, True], repeat=6)))
        stat = [gap(np.where(f, b, a), np.where(f, a, b)) for f in flips]
        exact = np.mean(np.abs(stat) >= abs(gap(a, b)) - 1e-9)
        assert p[0, column] == pytest.approx(exact, abs=0.012)


def test_equal_encoders_cannot_differ(pair):
    terms = [terms_of(pair[0], ALL)] * 2
    assert (sign_flip(terms, [(0, 1)], 99, np.random.default_rng(0)) == 1).all()


def test_sign_flip_p_is_never_zero():
    truth = np.zeros(40, int)
    right = Outcomes(truth, truth, ("0", "1"), np.arange(2.0))
    wrong = Outcomes(truth, truth + 1, ("0", "1"), np.arange(2.0))
    terms = [terms_of(o, [METRICS["accuracy"]]) for o in (right, wrong)]
    p = sign_flip(terms, [(0, 1)], 99, np.random.default_rng(0))
    assert p[0, 0] == pytest.approx(0.01)


def test_cluster_flip_holds_its_level_where_the_image_flip_does_not():
    """30 groups of 5 copies: groups are the only independent units."""
    rng, wrong = np.random.default_rng(6), np.zeros(2)
    groups = np.repeat(np.arange(30), 5)
    truth = np.zeros(150, int)
    for _ in range(150):
        pair = [
            Outcomes(
                truth,
                np.repeat((rng.random(30) < 0.3).astype(int), 5),
                ("0", "1"),
                np.arange(2.0),
            )
            for _ in range(2)
        ]
        for column, unit in enumerate((None, groups)):
            terms = [terms_of(o, [METRICS["accuracy"]], unit) for o in pair]
            wrong[column] += sign_flip(terms, [(0, 1)], 199, rng)[0, 0] <= 0.05
    image, cluster = wrong / 150
    assert image > 0.2
    assert cluster < 0.11


def test_jackknife_of_a_mean_is_its_standard_error(pair):
    left_out = jackknife([terms_of(o, ALL) for o in pair])
    assert left_out.shape == (2, len(ALL), 60)
    error = jackknife_error(left_out[0, 0] - left_out[1, 0])
    x = (pair[0].y_true == pair[0].y_pred) * 1.0 - (pair[1].y_true == pair[1].y_pred)
    assert error == pytest.approx(stats.sem(x))


def test_jackknife_leaves_out_one_image(pair):
    left_out = jackknife([terms_of(pair[0], ALL)])[0]
    direct = [m.value(taken(pair[0], np.delete(np.arange(60), 11))) for m in ALL]
    assert left_out[:, 11] == pytest.approx(direct, abs=1e-12)


@pytest.fixture
def many(pair, monkeypatch):
    """Forty copies of each of the sixty images, and the same with equal ones merged."""
    monkeypatch.setattr(resampling, "MANY_UNITS", 1000)
    names = ("accuracy", "macro_recall", "macro_f1", "mae", "qwk")
    metrics = [METRICS[name] for name in names]
    rows = np.random.default_rng(8).permutation(np.repeat(np.arange(60), 40))
    apart = [terms_of(taken(o, rows), metrics) for o in pair]
    return apart, merged(apart)


def test_merged_units_are_few_and_have_the_same_metrics(many):
    apart, together = many
    assert len(together[0].sizes) <= 60 and together[0].units == 2400
    for a, b in zip(apart, together, strict=True):
        assert b.images == 2400
        assert b.observed() == pytest.approx(a.observed(), abs=1e-12)


def test_merged_units_are_resampled_with_the_same_distribution(many):
    apart, together = (
        bootstrap(terms, 4000, np.random.default_rng(9)) for terms in many
    )
    for a, b in zip(apart[0] - apart[1], together[0] - together[1], strict=True):
        assert stats.ks_2samp(a, b).pvalue > 0.001
        assert b.std() == pytest.approx(a.std(), rel=0.06)


def test_merged_units_are_flipped_with_the_same_distribution(many):
    apart, together = (
        sign_flip(terms, [(0, 1)], 8000, np.random.default_rng(10)) for terms in many
    )
    assert together == pytest.approx(apart, abs=0.02)


def test_merged_units_have_the_same_jackknife_error(many):
    errors = []
    for terms in many:
        left_out = jackknife(terms)
        errors.append(jackknife_error(left_out[0] - left_out[1], terms[0].times))
    assert errors[1] == pytest.approx(errors[0], rel=1e-9)


def test_units_that_differ_stay_apart(pair, monkeypatch):
    monkeypatch.setattr(resampling, "MANY_UNITS", 10)
    terms = [terms_of(o, ALL) for o in pair]  # RMSE has as many values as images
    assert merged(terms)[0].times is None
    groups = [terms_of(o, [METRICS["accuracy"]], np.arange(60) // 2) for o in pair]
    assert merged(groups)[0].times is None


def test_few_units_widen_the_interval_as_students_t_would():
    """Of normal replicates: t times sqrt(n / (n - 1)) deviations, not 1.96."""
    grid = stats.norm.ppf((np.arange(100_000) + 0.5) / 100_000)
    low, high = percentile_interval(grid, units=5)
    assert high == pytest.approx(stats.t.isf(0.025, 4) * np.sqrt(5 / 4), rel=1e-2)
    assert low == pytest.approx(-high, rel=1e-6)
    assert percentile_interval(grid) == pytest.approx((-1.96, 1.96), abs=1e-3)


def test_intervals_over_few_groups_hold_the_truth():
    """Means of 12 groups: the plain interval holds it too rarely."""
    rng, held = np.random.default_rng(5), np.zeros(2)
    for _ in range(400):
        sample = rng.normal(size=12)
        means = rng.choice(sample, (999, 12)).mean(axis=1)
        for place, units in enumerate((None, 12)):
            low, high = percentile_interval(means, units=units)
            held[place] += low <= 0 <= high
    assert held[0] / 400 < 0.93 < held[1] / 400
