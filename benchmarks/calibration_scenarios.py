"""The scenarios of the calibration, the most asked for first."""

from dataclasses import replace

from calibration_studies import Fewshot, Fixed, Folds, Holdout, Scenario

# The thirteen designs that were simulated from the start: over folds and on a fixed set.
BASE = {
    s.name: s
    for s in (
        Scenario("R1 ridge"),
        Scenario("R2 ridge, 30 % label noise", noise=0.3),
        Scenario("R3 ridge, random labels", noise=1.0),
        Scenario("R4 ridge, d > n", n=150, d=512, signal=0.165),
        Scenario("R5 ridge, 15 classes", Folds(10, 3), 1890, 15, signal=0.38),
        Scenario("R6 ridge, similar encoders", shared=0.8),
        Scenario("R7 ridge, power", behind=0.10),
        Scenario("S1 linear SVC", Folds(10, 5), probe="linear", signal=0.35),
        Scenario(
            "S2 linear SVC, noise",
            Folds(10, 1),
            probe="linear",
            signal=0.35,
            noise=0.3,
        ),
        Scenario("S3 RBF SVC", Folds(10, 1), probe="rbf"),
        Scenario(
            "G1 60 groups of 5, ICC .5", Folds(10, 3), signal=0.36, size=5, icc=0.5
        ),
        Scenario(
            "G2 60 groups of 5, ICC .8", Folds(10, 3), signal=0.36, size=5, icc=0.8
        ),
        Scenario(
            "G3 150 groups of 2, ICC .5", Folds(10, 3), signal=0.36, size=2, icc=0.5
        ),
    )
}
R1, R4, R7, S1 = (
    next(s for name, s in BASE.items() if name.startswith(start))
    for start in ("R1", "R4", "R7", "S1")
)
G1, G2 = (next(s for name, s in BASE.items() if name[:2] == g) for g in ("G1", "G2"))
AGES = (1.0, 2, 4, 5, 5, 4, 3, 2)
NUMBERS = ("rmse", "mae", "within_1", "accuracy", "qwk", "bias", "macro_f1")
CLASSES = ("accuracy", "macro_f1", "macro_recall", "qwk", "mae")


def _few_shot() -> list[Scenario]:
    """(shots, pool, test, classes, draws), each without and with a true difference."""
    rows = [
        (100, 1000, 60, 5, 10),
        (100, 1000, 60, 5, 20),
        (64, 600, 100, 5, 10),
        (64, 1000, 100, 5, 10),
        (32, 300, 100, 5, 10),
        (16, 300, 100, 5, 10),
        (16, 1000, 150, 15, 10),
        (1, 300, 300, 5, 10),
        (4, 1000, 300, 5, 10),
        (100, 600, 100, 5, 10),
        (16, 1000, 1000, 5, 10),
        (64, 600, 1000, 5, 10),
    ]
    scenarios = []
    for shots, pool, test, classes, draws in rows:
        s = Scenario(
            f"few-shot: {shots} of {pool}, test {test}, {classes} classes, {draws} draws",
            Fewshot(shots, test, draws),
            pool,
            classes,
        )
        scenarios += [s, replace(s, name=f"power, {s.name}", behind=0.10)]
    return scenarios


def _undivided() -> list[Scenario]:
    """Few-shot draws without test images of their own."""
    return [
        Scenario(
            f"few-shot: {shots} of {n}, all others tested, d {d}",
            Fewshot(shots, 0),
            n,
            d=d,
            signal=signal,
            metrics=("accuracy", "macro_f1"),
        )
        for shots, n, d, signal in (
            (1, 300, 64, 0.33),
            (4, 300, 64, 0.33),
            (16, 300, 64, 0.33),
            (32, 300, 64, 0.33),
            (16, 200, 512, 0.165),
        )
    ]


def _hold_out() -> list[Scenario]:
    def of(s: Scenario, test: float, draws: int, validation: float = 0.0) -> Scenario:
        more = f", {100 * validation:.0f} % validation" if validation else ""
        name = f"hold-out: {s.name[:2]}, {draws} x {100 * test:.0f} %{more}"
        return replace(s, name=name, design=Holdout(test, draws, validation))

    return [
        of(R4, 0.1, 10),
        of(R4, 0.1, 50),
        of(G2, 0.1, 30),
        of(G1, 0.1, 30),
        of(R1, 0.2, 10, 0.15),
        of(R4, 0.2, 10, 0.15),
        of(G2, 0.2, 10, 0.15),
        of(R7, 0.1, 10),
        of(S1, 0.1, 10),
    ]


def _folds() -> list[Scenario]:
    two = Scenario("two classes, n 200, d 256", n=200, classes=2, d=256, signal=0.12)
    eight = Scenario("8 groups", Folds(4, 10), 200, groups=8, icc=0.5)
    twelve = replace(eight, name="12 groups", design=Folds(6, 10), groups=12)
    zipf = replace(
        eight, name="40 Zipf groups", design=Folds(5, 10), groups=40, zipf=True
    )
    five = replace(eight, name="5 groups", design=Folds(5, 10), groups=5)

    def of(s: Scenario, k: int, repeats: int, **changes: object) -> Scenario:
        name = changes.pop("name", s.name)
        return replace(
            s,
            name=f"folds: {name}, {k} x {repeats}",
            design=Folds(k, repeats),
            **changes,
        )

    return [
        of(R1, 10, 10, metrics=CLASSES),
        of(R4, 10, 10, metrics=CLASSES),
        of(two, 10, 10),
        of(R4, 5, 10),
        of(R4, 3, 10),
        of(R1, 2, 10),
        of(G2, 5, 10),
        of(G2, 5, 3),
        of(G2, 5, 1),
        of(G1, 5, 10, metrics=CLASSES),
        of(eight, 4, 10),
        of(twelve, 6, 10),
        of(zipf, 5, 10),
        of(five, 5, 10),
        of(five, 5, 1),
        of(eight, 4, 1),
        of(twelve, 6, 1),
        of(R7, 10, 10),
        of(R7, 10, 10, pairs=1, name="R7, one grouped pair"),
        of(R4, 10, 1, metrics=CLASSES),
        of(G2, 10, 1),
        of(two, 10, 1),
        of(R7, 10, 1),
        of(R1, 2, 1),
    ]


def _other_folds() -> list[Scenario]:
    """Numbers of folds and repeats, for d below and above n, raw and unit vectors."""
    unit = replace(R4, name="R4, unit vectors", unit=True, alpha=1.0)
    done = {s.name for s in _folds()}
    every = [
        replace(s, name=f"folds: {s.name}, {k} x {r}", design=Folds(k, r))
        for r in (1, 10)
        for k in (2, 3, 5, 10, 20)
        for s in (R1, R4, unit)
    ]
    return [s for s in every if s.name not in done]


def _regressions() -> list[Scenario]:
    def of(
        name: str, design: Folds | Holdout | Fewshot, n: int, d: int, **settings: object
    ) -> Scenario:
        signal = settings.pop("signal", 0.06 if d > 128 else 0.12)
        shape = f"{name}, {n} x {d}"
        if isinstance(design, Folds):
            shape += f", {design.k} x {design.repeats}"
        return Scenario(f"numbers: {shape}", design, n, 8, d, numbers=True,
                        weights=AGES, metrics=NUMBERS, signal=signal,
                        **settings)  # fmt: skip

    return [
        of("raw", Folds(10, 1), 300, 512),
        of("raw", Folds(10, 5), 300, 512),
        of("raw", Folds(10, 1), 150, 512),
        of("raw", Folds(5, 1), 150, 512),
        of("unit", Folds(10, 3), 300, 512, unit=True),
        of("unit, alpha .1", Folds(10, 1), 300, 512, unit=True, alpha=0.1),
        of("unit, alpha 1", Folds(10, 1), 300, 256, unit=True, alpha=1.0),
        of("raw, alpha 1", Folds(10, 1), 300, 64, alpha=1.0),
        of("heavy tails", Folds(10, 1), 300, 64, tails=3.0),
        of("ages", Folds(5, 1), 400, 64),
        of("ages", Folds(5, 3), 400, 64),
        of("hold-out 10 x 20 %, 15 % validation", Holdout(0.2, 10, 0.15), 400, 420),
        of("few-shot, 16 of 300, test 300", Fewshot(16, 300), 300, 64),
        of("60 groups of 5, ICC .5", Folds(5, 1), 300, 64, size=5, icc=0.5),
        of("60 groups of 5, ICC .5", Folds(5, 1), 300, 512, size=5, icc=0.5),
    ]


def _probabilities() -> list[Scenario]:
    smooth = ("nll", "brier", "accuracy")
    return [
        Scenario(
            f"logistic, {n} x {d}, {k} x {r}",
            Folds(k, r),
            n,
            d=d,
            signal=signal,
            probe="logistic",
            metrics=smooth,
        )
        for n, d, signal, k, r in (
            (200, 32, 0.33, 10, 1),
            (120, 256, 0.2, 5, 1),
            (120, 256, 0.2, 5, 5),
        )
    ]


def _imbalanced() -> list[Scenario]:
    """Macro F1 where one class has few images."""
    rare = (1.0, 3, 6, 15, 15)
    s = Scenario("imbalanced 400", n=400, weights=rare, metrics=CLASSES)
    designs = {"10 x 1": Folds(10, 1), "5 x 5": Folds(5, 5)}
    found = [
        replace(s, name=f"folds: {s.name}, {name}", design=design)
        for name, design in designs.items()
    ]
    return [
        *found,
        replace(s, name="hold-out: imbalanced 400, 10 x 20 %", design=Holdout(0.2, 10)),
        replace(
            s,
            name="few-shot: imbalanced, 8 of 1000, test 300",
            design=Fewshot(8, 300),
            n=1000,
        ),
    ]


def _fixed() -> list[Scenario]:
    few = Scenario("", Fixed(300), size=1, icc=0.5)
    groups = [
        replace(few, name=f"fixed: {g} groups", groups=g, signal=0.30)
        for g in (5, 8, 12, 20)
    ]
    easy = Scenario("fixed: nearly perfect", Fixed(300), signal=0.62)
    several = ("accuracy", "macro_recall", "macro_f1", "qwk")
    base = [replace(s, name=f"fixed: {s.name}", design=Fixed()) for s in BASE.values()]
    return [replace(s, metrics=several) for s in (*groups, easy, *base)]


def scenarios() -> list[Scenario]:
    """All of them; of one name the first."""
    slow = [s for s in BASE.values() if s.name[0] == "S"]
    rest = [
        replace(s, name=f"folds: {s.name}, {s.design.k} x {s.design.repeats}")
        for s in BASE.values()
        if s not in slow
    ]
    first = [*_few_shot(), *_hold_out()[:-1], *_folds(), *_regressions()[:1]]
    found = [
        *first,
        *_undivided(),
        *rest,
        *_regressions()[2:],
        *_imbalanced(),
        *_other_folds(),
        *_fixed(),
        *_probabilities(),
        *_regressions()[1:2],
        *_hold_out()[-1:],
        *(
            replace(s, name=f"folds: {s.name}, {s.design.k} x {s.design.repeats}")
            for s in slow
        ),
    ]
    return list({s.name: s for s in reversed(found)}.values())[::-1]
