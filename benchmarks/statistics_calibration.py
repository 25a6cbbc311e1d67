"""How often each test errs, finds and covers, on simulated studies of known truth.

Two encoders see the same images: X = s mu_y + sqrt(r) shared + sqrt(1 - r) own, with
own noise drawn alike for both, so that no algorithm-level difference exists (but for
the scenario named power). Steps of one run: draw a study; fit the same probe over the
same folds on both encoders; apply the tests that comparisons print; fit once more on
all images and test on a fixed set of new ones, whose true difference is known from
many more.

Prints one row per scenario and test: rejections at 5 % (type-I error, or power), and
the share of 95 % intervals that hold the truth. For tests over folds the truth is the
algorithm-level difference (zero, except for power); for a fixed test set it is the
difference of the two fitted models on many new images, and rejections are counted on
exchanged predictions (`on_fixed_set`).
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.svm import SVC

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/scripts"))

from bakeoff.metrics.definitions import METRICS
from bakeoff.metrics.interface import Outcomes
from bakeoff.stats.fold_tests import Runs, corrected_t, five_by_two_f, paired_t
from bakeoff.stats.proportions import (
    bonett_price,
    clustered_difference,
    mcnemar_exact,
    mcnemar_midp,
    newcombe,
    tango,
)
from bakeoff.stats.resampling import (
    bootstrap,
    jackknife,
    jackknife_error,
    percentile_interval,
    sign_flip,
    terms_of,
)

TEST, REPLICATES, Z = 300, 999, 1.959964
FIXED_METRICS = ("accuracy", "macro_recall", "macro_f1", "qwk")

# One test of one run: its p, and whether its interval holds the truth.
Finding = tuple[str, float, bool | None]


@dataclass(frozen=True)
class Scenario:
    """A way of drawing studies.

    signal: s above; shared: r; noise: share of labels drawn anew; behind: part of the
    second encoder's signal that is missing; size: images per group, to which a part icc
    of all noise is common; fresh: new images that tell the true difference of the two
    fitted models, fewer where they cost much; times: how many times as many studies are
    drawn, where a thousand left an exact test above 6 % by chance.
    """

    name: str
    n: int = 300
    classes: int = 5
    d: int = 64
    signal: float = 0.33
    shared: float = 0.3
    noise: float = 0.0
    repeats: int = 10
    probe: str = "ridge"
    behind: float = 0.0
    size: int = 1
    icc: float = 0.0
    fresh: int = 40_000
    times: int = 1


SCENARIOS = (
    Scenario("R1 ridge"),
    Scenario("R2 ridge, 30 % label noise", noise=0.3),
    Scenario("R3 ridge, random labels", noise=1.0),
    Scenario(
        "R4 ridge, d > n",
        n=150,
        d=512,
        signal=0.165,
        repeats=5,
        fresh=10_000,
        times=3,
    ),
    Scenario("R5 ridge, 15 classes", n=1890, classes=15, signal=0.38, repeats=3),
    Scenario("R6 ridge, similar encoders", shared=0.8, times=2),
    Scenario("R7 ridge, power", behind=0.10),
    Scenario("S1 linear SVC", probe="linear", signal=0.35, repeats=5),
    Scenario(
        "S2 linear SVC, noise",
        probe="linear",
        signal=0.35,
        noise=0.3,
        repeats=1,
        fresh=10_000,
        times=2,
    ),
    Scenario("S3 RBF SVC", probe="rbf", repeats=1, fresh=10_000),
    Scenario("G1 60 groups of 5, ICC .5", signal=0.36, size=5, icc=0.5, repeats=3),
    Scenario("G2 60 groups of 5, ICC .8", signal=0.36, size=5, icc=0.8, repeats=3),
    Scenario("G3 150 groups of 2, ICC .5", signal=0.36, size=2, icc=0.5, repeats=3),
)


@dataclass(frozen=True)
class Draw:
    """x: (2, n, d) vectors of both encoders; y: (n,) labels; groups: (n,)."""

    x: np.ndarray
    y: np.ndarray
    groups: np.ndarray


def draw(s: Scenario, mu: np.ndarray, n: int, rng: np.random.Generator) -> Draw:
    """A sample of n images; images of a group share their label."""
    groups = np.arange(n) // s.size
    true = rng.integers(0, s.classes, groups.max() + 1)[groups]

    def noise() -> np.ndarray:
        own = np.sqrt(1 - s.icc) * rng.normal(size=(n, s.d))
        if s.icc == 0:
            return own
        return own + np.sqrt(s.icc) * rng.normal(size=(groups.max() + 1, s.d))[groups]

    shared, first, second = noise(), noise(), noise()
    own = [np.sqrt(1 - s.shared) * e for e in (first, second)]
    signal = [s.signal * mu[true], s.signal * (1 - s.behind) * mu[true]]
    x = np.stack(
        [a + np.sqrt(s.shared) * shared + b for a, b in zip(signal, own, strict=True)]
    )
    drawn_anew = rng.random(n) < s.noise
    y = np.where(drawn_anew, rng.integers(0, s.classes, n), true)
    return Draw(x, y, groups)


def fit_predict(
    s: Scenario, x: np.ndarray, y: np.ndarray, new: np.ndarray
) -> np.ndarray:
    """(m,) predicted labels of new (m, d) by the scenario's probe fitted to x, y."""
    if s.probe != "ridge":
        return SVC(kernel=s.probe).fit(x, y).predict(new)
    centre = x.mean(axis=0)
    x, new = x - centre, new - centre
    target = np.where(y[:, None] == np.arange(s.classes), 1.0, -1.0)
    offset = target.mean(axis=0)
    if len(x) < x.shape[1]:  # the dual system is the smaller one
        dual = np.linalg.solve(x @ x.T + 6.0 * np.eye(len(x)), target - offset)
        weights = x.T @ dual
    else:
        gram = x.T @ x + 6.0 * np.eye(x.shape[1])
        weights = np.linalg.solve(gram, x.T @ (target - offset))
    return (new @ weights + offset).argmax(axis=1)


def over_folds(
    s: Scenario, sample: Draw, truth: float, rng: np.random.Generator
) -> Iterator[Finding]:
    """The tests over folds: one 10-fold division, all repeats, and 5 x 2 folds.

    As published, the corrected t takes no note of which runs belong to which repeat;
    comparisons do.
    """
    d, ratio = _fold_gaps(s, sample, 10, s.repeats, rng)
    repeat, grouped = np.repeat(np.arange(s.repeats), 10), s.size > 1
    tests = {
        "paired_t (naive), one repeat": paired_t(d[:10]),
        "corrected_t, one repeat": corrected_t(Runs(d[:10], ratio)),
    }
    if s.repeats > 1:
        tests |= {
            f"paired_t (naive), {s.repeats} repeats": paired_t(d),
            f"corrected_t (as published), {s.repeats} repeats": corrected_t(
                Runs(d, ratio)
            ),
            f"corrected_t, {s.repeats} repeats": corrected_t(
                Runs(d, ratio, repeat, grouped)
            ),
        }
    for test, result in tests.items():
        yield test, result.p, result.low <= truth <= result.high
    halves, _ = _fold_gaps(s, sample, 2, 5, rng)
    yield "five_by_two_f", five_by_two_f(halves.reshape(5, 2)).p, None


def on_fixed_set(
    s: Scenario, sample: Draw, mu: np.ndarray, rng: np.random.Generator
) -> Iterator[Finding]:
    """The tests of two fitted models on one fixed test set.

    Intervals are checked against the truth on fresh images. Two fitted models are never
    exactly alike, so rejections are counted after their predictions were exchanged at
    random, image by image or group by group: then no difference exists.
    """
    test, fresh = draw(s, mu, TEST, rng), draw(s, mu, s.fresh, rng)
    pair, many = (
        [
            _outcomes(s, t.y, fit_predict(s, sample.x[e], sample.y, t.x[e]))
            for e in (0, 1)
        ]
        for t in (test, fresh)
    )
    groups = test.groups if s.size > 1 else None
    truth = [
        METRICS[m].value(many[0]) - METRICS[m].value(many[1]) for m in FIXED_METRICS
    ]
    null = pair if s.behind else _exchanged(s, pair, test.groups, rng)
    for (name, _, inside), (_, p, _) in zip(
        _fixed_findings(pair, truth, groups, rng),
        _fixed_findings(null, truth, groups, rng),
        strict=True,
    ):
        yield name, p, inside


def _exchanged(
    s: Scenario, pair: list[Outcomes], groups: np.ndarray, rng: np.random.Generator
) -> list[Outcomes]:
    swap = rng.integers(0, 2, groups.max() + 1).astype(bool)[groups]
    first, second = (o.y_pred for o in pair)
    y = pair[0].y_true
    return [
        _outcomes(s, y, np.where(swap, second, first)),
        _outcomes(s, y, np.where(swap, first, second)),
    ]


def _fixed_findings(
    pair: list[Outcomes],
    truth: list[float],
    groups: np.ndarray | None,
    rng: np.random.Generator,
) -> Iterator[Finding]:
    yield from _proportions(pair, truth[0], groups)
    terms = [terms_of(o, [METRICS[m] for m in FIXED_METRICS], groups) for o in pair]
    replicates = bootstrap(terms, REPLICATES, rng)
    left_out = jackknife(terms)
    p = sign_flip(terms, [(0, 1)], REPLICATES, rng)[0]
    observed = terms[0].observed() - terms[1].observed()
    prefix, units = "" if groups is None else "cluster ", terms[0].units
    for m, name in enumerate(FIXED_METRICS):
        gap = replicates[0, m] - replicates[1, m]
        low, high = percentile_interval(gap, units=None if groups is None else units)
        yield f"{prefix}sign_flip + bootstrap, {name}", p[m], low <= truth[m] <= high
        reach = Z * jackknife_error(left_out[0, m] - left_out[1, m])
        p_normal = 0.0 if abs(observed[m]) > reach else 1.0
        inside = bool(abs(observed[m] - truth[m]) <= reach)
        yield f"{prefix}jackknife, {name}", p_normal, inside


def simulate(
    s: Scenario, runs: int, seed: int
) -> dict[str, list[tuple[bool, bool | None]]]:
    """{test: (rejected, covered) of every run}."""
    found: dict[str, list[tuple[bool, bool | None]]] = defaultdict(list)
    truth = _true_gap(s, seed) if s.behind else 0.0
    for run in range(runs):
        rng = np.random.default_rng([seed, run])
        mu = rng.normal(size=(s.classes, s.d))
        sample = draw(s, mu, s.n, rng)
        for name, p, inside in (
            *over_folds(s, sample, truth, rng),
            *on_fixed_set(s, sample, mu, rng),
        ):
            found[name].append((p <= 0.05, inside))
    return found


def main() -> None:
    """Simulate the chosen scenarios and write their table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="scenarios whose name starts so")
    arguments = parser.parse_args()
    print(f"{'':42}{'runs':>6}{'rejected':>11}{'covered':>10}")
    for scenario in SCENARIOS:
        if scenario.name.startswith(arguments.only):
            print(scenario.name)
            found = simulate(scenario, arguments.runs * scenario.times, arguments.seed)
            for test, outcomes in found.items():
                print(f"  {test:40}{_summary(outcomes)}", flush=True)


def _summary(outcomes: list[tuple[bool, bool | None]]) -> str:
    covered = [inside for _, inside in outcomes if inside is not None]
    rejected = np.mean([rejected for rejected, _ in outcomes])
    share = f"{np.mean(covered):10.1%}" if covered else f"{'-':>10}"
    return f"{len(outcomes):6}{rejected:11.1%}{share}"


def _fold_gaps(
    s: Scenario, sample: Draw, folds: int, repeats: int, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """(J,) differences of accuracy, and the mean ratio of test to training images."""
    kind = StratifiedKFold if s.size == 1 else StratifiedGroupKFold
    groups = None if s.size == 1 else sample.groups
    gaps, ratios = [], []
    for _ in range(repeats):
        divide = kind(folds, shuffle=True, random_state=int(rng.integers(2**31)))
        for train, test in divide.split(sample.x[0], sample.y, groups):
            right = [
                (
                    fit_predict(s, x[train], sample.y[train], x[test]) == sample.y[test]
                ).mean()
                for x in sample.x
            ]
            gaps.append(right[0] - right[1])
            ratios.append(len(test) / len(train))
    return np.array(gaps), float(np.mean(ratios))


def _proportions(
    pair: list[Outcomes], truth: float, groups: np.ndarray | None
) -> Iterator[Finding]:
    right = [o.y_true == o.y_pred for o in pair]
    b, c = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    n, both = len(right[0]), int((right[0] & right[1]).sum())
    label = " (ignores groups)" if groups is not None else ""
    for name, p, (low, high) in (
        ("mcnemar_midp + tango", mcnemar_midp(b, c), tango(b, c, n)),
        (
            "mcnemar_exact + newcombe",
            mcnemar_exact(b, c),
            newcombe(b, c, both, n - both - b - c),
        ),
        ("mcnemar_midp + bonett_price", mcnemar_midp(b, c), bonett_price(b, c, n)),
    ):
        yield name + label, p, low <= truth <= high
    if groups is not None:
        result = clustered_difference(right[0] * 1.0 - right[1], groups)
        yield "cluster_t", result.p, result.low <= truth <= result.high


def _outcomes(s: Scenario, y: np.ndarray, predicted: np.ndarray) -> Outcomes:
    names = tuple(str(k) for k in range(s.classes))
    return Outcomes(y, predicted, names, np.arange(s.classes, dtype=float))


def _true_gap(s: Scenario, seed: int, studies: int = 300) -> float:
    """Algorithm-level difference: mean over training sets of nine tenths of n."""
    gaps = []
    for study in range(studies):
        rng = np.random.default_rng([seed, 10**6 + study])
        mu = rng.normal(size=(s.classes, s.d))
        train, test = draw(s, mu, s.n * 9 // 10, rng), draw(s, mu, 2000, rng)
        right = [
            (fit_predict(s, train.x[e], train.y, test.x[e]) == test.y).mean()
            for e in (0, 1)
        ]
        gaps.append(right[0] - right[1])
    return float(np.mean(gaps))


if __name__ == "__main__":
    main()
