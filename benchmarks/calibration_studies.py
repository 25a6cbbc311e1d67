"""Made-up studies for the calibration of our tests: two encoders that do not differ.

X = s signal + sqrt(r) shared + sqrt(1 - r) own, with own noise drawn alike for both
encoders, so that no difference exists between them as encoders (but where one is put
`behind`, to measure power). The same probe is fitted over the same runs to both.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from bakeoff.metrics.interface import Outcomes
from bakeoff.probes.interface import Problem
from bakeoff.probes.refits import Left, hat_root
from bakeoff.stats.over_runs import Layout
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.svm import SVC


@dataclass(frozen=True)
class Folds:
    """k folds, repeated."""

    k: int
    repeats: int


@dataclass(frozen=True)
class Holdout:
    """Shares of test and of validation images, which are left out; repeated."""

    test: float
    repeats: int
    validation: float = 0.0


@dataclass(frozen=True)
class Fewshot:
    """shots per class from the n images, tested on `test` others, or on all not drawn."""

    shots: int
    test: int
    repeats: int = 10


@dataclass(frozen=True)
class Fixed:
    """One fit to all n images, tested on `test` new ones."""

    test: int = 300


@dataclass(frozen=True)
class Scenario:
    """A way of drawing studies, and the metrics that are tested.

    signal: s above; shared: r; noise: share of labels drawn once more; behind: part of
    the second encoder's signal that is missing; size: images per group, or groups: how
    many groups, with sizes that fall as 1 / rank where `zipf`, to which a part icc of all
    noise is common; pairs: how many groups of two there are among single images; numbers:
    whether labels are numbers and the probe a regression; unit: vectors of length 1;
    weights: frequencies of the classes, equal where None; tails: degrees of freedom of t
    noise, normal where 0; times: how many times as many studies are drawn.
    """

    name: str
    design: Folds | Holdout | Fewshot | Fixed = Folds(10, 10)
    n: int = 300
    classes: int = 5
    d: int = 64
    signal: float = 0.33
    shared: float = 0.3
    noise: float = 0.0
    probe: str = "ridge"
    alpha: float = 6.0
    unit: bool = False
    behind: float = 0.0
    size: int = 1
    groups: int = 0
    zipf: bool = False
    pairs: int = 0
    icc: float = 0.0
    numbers: bool = False
    weights: tuple[float, ...] | None = None
    tails: float = 0.0
    metrics: tuple[str, ...] = ("accuracy",)
    times: int = 1

    @property
    def grouped(self) -> bool:
        """Whether any group has several images."""
        return self.size > 1 or self.groups > 0 or self.pairs > 0


@dataclass(frozen=True)
class Sample:
    """x: (2, n, d) vectors of both encoders; y: (n,) classes; units: (n,) groups."""

    x: np.ndarray
    y: np.ndarray
    units: np.ndarray


@dataclass(frozen=True)
class Study:
    """Outcomes of both encoders by repeat, and which images each repeat tested.

    runs: outcomes by run, for tests that look at runs; rows: by repeat, the images of its
    outcomes; left: what each run left out, None where no closed form exists.
    """

    scenario: Scenario
    sample: Sample
    repeats: list[tuple[Outcomes, Outcomes]]
    rows: list[np.ndarray]
    runs: list[tuple[Outcomes, Outcomes]]
    run_repeat: np.ndarray
    ratio: float
    layout: Layout
    units: np.ndarray
    left: list[Left] | None

    @cached_property
    def roots(self) -> list[np.ndarray]:
        """Roots of the hat matrices of both encoders, for refits."""
        return [hat_root(x, self.scenario.alpha) for x in self.sample.x]


def signal_of(s: Scenario, rng: np.random.Generator) -> np.ndarray:
    """(classes, d) means of the classes; along one line where labels are numbers."""
    if not s.numbers:
        return rng.normal(size=(s.classes, s.d))
    place = np.arange(s.classes) - (s.classes - 1) / 2
    return place[:, None] * rng.normal(size=s.d)


def draw(s: Scenario, mu: np.ndarray, n: int, rng: np.random.Generator) -> Sample:
    """A sample of n images; images of a group share their label where groups are many."""
    units = _units(s, n, rng)
    own_label = np.arange(n) if s.groups else units
    p = None if s.weights is None else np.array(s.weights) / sum(s.weights)
    true = rng.choice(s.classes, own_label.max() + 1, p=p)[own_label]

    def noise() -> np.ndarray:
        own = np.sqrt(1 - s.icc) * _noise(s, n, rng)
        if s.icc == 0:
            return own
        return own + np.sqrt(s.icc) * _noise(s, units.max() + 1, rng)[units]

    common, first, second = noise(), noise(), noise()
    signal = [s.signal * mu[true], s.signal * (1 - s.behind) * mu[true]]
    x = np.stack(
        [
            a + np.sqrt(s.shared) * common + np.sqrt(1 - s.shared) * b
            for a, b in zip(signal, (first, second), strict=True)
        ]
    )
    if s.unit:
        x /= np.linalg.norm(x, axis=2, keepdims=True)
    again = rng.random(n) < s.noise
    return Sample(x, np.where(again, rng.integers(0, s.classes, n), true), units)


def study_of(s: Scenario, rng: np.random.Generator) -> Study:
    """One study with all its runs."""
    mu = signal_of(s, rng)
    if isinstance(s.design, Fewshot):
        return _fewshot_study(s, s.design, mu, rng)
    sample = draw(s, mu, s.n, rng)
    left = list(_left(s, sample, rng))
    predicted = _held_out(s, sample, left)
    return _study(s, sample, left, predicted, sample.units)


def outcomes_of(s: Scenario, y: np.ndarray, raw: np.ndarray) -> Outcomes:
    """Outcomes from (n,) numbers, or (n, K) scores whose largest is the class."""
    names = tuple(str(k + 1) for k in range(s.classes))
    problem = Problem(names, np.arange(s.classes) + 1.0, s.numbers)
    if s.numbers:
        numbers = raw[:, 0]
        return Outcomes(y, problem.nearest(numbers), names, problem.values, numbers,
                        ordinal=True)  # fmt: skip
    kind = "probability" if s.probe == "logistic" else "decision"
    return Outcomes(y, raw.argmax(axis=1), names, problem.values, scores=raw,
                    ordinal=True, kind=kind)  # fmt: skip


def fit_predict(
    s: Scenario, x: np.ndarray, y: np.ndarray, new: np.ndarray
) -> np.ndarray:
    """(m, K or 1) scores of new (m, d) by the scenario's probe fitted to x, y."""
    if s.probe == "logistic":
        fit = LogisticRegression(C=1.0, max_iter=200).fit(x, y)
        scores = np.zeros((len(new), s.classes))
        scores[:, fit.classes_] = fit.predict_proba(new)
        return scores
    if s.probe != "ridge":
        return np.eye(s.classes)[SVC(kernel=s.probe).fit(x, y).predict(new)]
    centre, target = x.mean(axis=0), _targets(s, y)
    x, new, offset = x - centre, new - centre, target.mean(axis=0)
    if len(x) < x.shape[1]:  # the dual system is the smaller one
        dual = np.linalg.solve(x @ x.T + s.alpha * np.eye(len(x)), target - offset)
        weights = x.T @ dual
    else:
        gram = x.T @ x + s.alpha * np.eye(x.shape[1])
        weights = np.linalg.solve(gram, x.T @ (target - offset))
    return new @ weights + offset


def _noise(s: Scenario, n: int, rng: np.random.Generator) -> np.ndarray:
    if not s.tails:
        return rng.normal(size=(n, s.d))
    return rng.standard_t(s.tails, (n, s.d)) * np.sqrt((s.tails - 2) / s.tails)


def _units(s: Scenario, n: int, rng: np.random.Generator) -> np.ndarray:
    if s.groups:
        shares = 1 / np.arange(1, s.groups + 1) if s.zipf else np.ones(s.groups)
        counts = np.maximum(1, np.floor(n * shares / shares.sum())).astype(int)
        counts[0] += n - counts.sum()
        return np.repeat(np.arange(s.groups), counts)
    if s.pairs:
        return np.maximum(np.arange(n) - s.pairs, np.arange(n) // 2)
    return np.arange(n) // s.size


def _targets(s: Scenario, y: np.ndarray) -> np.ndarray:
    if s.numbers:
        return y[:, None] + 1.0
    return np.where(y[:, None] == np.arange(s.classes), 1.0, -1.0)


def _left(s: Scenario, sample: Sample, rng: np.random.Generator) -> Iterator[Left]:
    n, design = s.n, s.design  # noqa: F841
    for repeat in range(design.repeats):
        if isinstance(design, Folds):
            fold = _divided(s, design.k, sample, int(rng.integers(2**31)))
            for k in range(design.k):
                test = np.flatnonzero(fold == k)
                yield Left(repeat, test, test)
        else:
            order = rng.permutation(sample.units.max() + 1)[sample.units]
            place = _spread(sample.y, order) if not s.grouped else _filled(order)
            test = np.flatnonzero(place < design.test)
            out = np.flatnonzero(place < design.test + design.validation)
            yield Left(repeat, test, out)


def _divided(s: Scenario, k: int, sample: Sample, state: int) -> np.ndarray:
    """(n,) folds, stratified; groups whole."""
    whole = s.grouped and not s.pairs
    divide = (StratifiedGroupKFold if whole else StratifiedKFold)(
        k, shuffle=True, random_state=state
    )
    fold = np.empty(s.n, dtype=int)
    units = sample.units if whole else None
    with warnings.catch_warnings():
        # Classes of numbers may have fewer images than folds.
        warnings.simplefilter("ignore", UserWarning)
        for number, (_, test) in enumerate(divide.split(sample.y, sample.y, units)):
            fold[test] = number
    # Few pairs: the second image follows the first, which the division hardly notices.
    _, first = np.unique(sample.units, return_index=True)
    return fold[first][sample.units] if s.pairs else fold


def _spread(y: np.ndarray, order: np.ndarray) -> np.ndarray:
    """(n,) places in [0, 1) of an order whose every prefix is stratified."""
    place = np.empty(len(y))
    for label in np.unique(y):
        own = np.flatnonzero(y == label)
        place[own[np.argsort(order[own])]] = (np.arange(len(own)) + 0.5) / len(own)
    return np.argsort(np.argsort(place, kind="stable")) / len(y)


def _filled(order: np.ndarray) -> np.ndarray:
    """(n,) share of images in units that come before an image's own."""
    sizes = np.bincount(order)
    return (np.cumsum(sizes) - sizes)[order] / len(order)


def _held_out(
    s: Scenario, sample: Sample, left: list[Left]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Scores of every run's test images by both encoders; ridge from one hat matrix."""
    if s.probe != "ridge":
        everything = np.arange(s.n)
        return [
            tuple(
                fit_predict(
                    s,
                    x[np.setdiff1d(everything, run.out)],
                    sample.y[np.setdiff1d(everything, run.out)],
                    x[run.test],
                )
                for x in sample.x
            )
            for run in left
        ]
    target, found = _targets(s, sample.y), []
    for x in sample.x:
        root = hat_root(x, s.alpha)
        rest = np.eye(s.n) - 1 / s.n - root @ root.T
        residual = rest @ target
        deleted = [
            np.linalg.solve(rest[np.ix_(run.out, run.out)], residual[run.out])
            for run in left
        ]
        found.append(
            [
                (target[run.out] - a)[np.searchsorted(run.out, run.test)]
                for run, a in zip(left, deleted, strict=True)
            ]
        )
    return list(zip(*found, strict=True))


def _study(
    s: Scenario,
    sample: Sample,
    left: list[Left],
    predicted: list[tuple[np.ndarray, np.ndarray]],
    units: np.ndarray,
) -> Study:
    runs = [
        tuple(outcomes_of(s, sample.y[run.test], scores) for scores in pair)
        for run, pair in zip(left, predicted, strict=True)
    ]
    repeat = np.array([run.repeat for run in left])
    rows, repeats = [], []
    for r in np.unique(repeat):
        own = np.flatnonzero(repeat == r)
        rows.append(np.concatenate([left[i].test for i in own]))
        pair = [np.concatenate([predicted[i][e] for i in own]) for e in (0, 1)]
        y = sample.y[rows[-1]]
        repeats.append(tuple(outcomes_of(s, y, scores) for scores in pair))
    trained = np.array([s.n - len(run.out) for run in left])
    tested = np.array([len(run.test) for run in left])
    kind = "folds" if isinstance(s.design, Folds) else "holdout"
    layout = Layout(kind, s.n, float(np.mean(s.n / trained)), tested.sum() / s.n)
    closed = left if s.probe == "ridge" and s.numbers else None
    ratio = float(np.mean(tested / trained))
    return Study(s, sample, repeats, rows, runs, repeat, ratio, layout, units, closed)


def _fewshot_study(
    s: Scenario, design: Fewshot, mu: np.ndarray, rng: np.random.Generator
) -> Study:
    """Draws from a pool of n images, tested on others or on those not drawn."""
    whole = draw(s, mu, s.n + design.test, rng)
    pool = np.arange(s.n)
    repeats, rows = [], []
    for _ in range(design.repeats):
        order = rng.permutation(s.n)
        rank = np.empty(s.n, int)
        for label in range(s.classes):
            own = order[whole.y[order] == label]
            rank[own] = np.arange(len(own))
        train = pool[rank < design.shots]
        given = np.arange(s.n, s.n + design.test)
        test = given if design.test else np.setdiff1d(pool, train)
        repeats.append(
            tuple(
                outcomes_of(
                    s, whole.y[test], fit_predict(s, x[train], whole.y[train], x[test])
                )
                for x in whole.x
            )
        )
        rows.append(test)
    images = design.test or s.n
    kind = "crossed" if design.test else "drawn"
    layout = Layout(kind, images, np.nan, np.nan, len(train) / s.n)
    ratio, repeat = len(rows[0]) / len(train), np.arange(design.repeats)
    return Study(
        s, whole, repeats, rows, repeats, repeat, ratio, layout, whole.units, None
    )
