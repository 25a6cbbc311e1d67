"""What must be true of every table of predictions and metrics, whatever the encoder.

Each check raises BakeoffError with the numbers that contradict each other; none of them
can fail on tables that bakeoff made and nobody edited.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from bakeoff.errors import BakeoffError, listed
from bakeoff.metrics.definitions import METRICS
from bakeoff.metrics.interface import Outcomes, confusion
from bakeoff.metrics.outcomes import Run

_TOLERANCE = 1e-9


def scored_once(runs: Sequence[Run]) -> None:
    """Every image is scored at most once per encoder, method, protocol and repeat."""
    repeats: dict[tuple[object, ...], list[np.ndarray]] = defaultdict(list)
    for run in runs:
        key = (run.encoder, run.method, run.protocol, run.repeat)
        repeats[key].append(run.image_ids)
    twice: list[str] = []
    for parts in repeats.values():
        seen = Counter(np.concatenate(parts).tolist())
        twice += [image for image, count in seen.items() if count > 1]
    if twice:
        raise _contradiction(
            f"{len(twice)} images scored more than once in a repeat, among them "
            f"{listed(twice)}",
            "every image once per repeat",
        )


def same_images(runs: Sequence[Run]) -> None:
    """All encoders and methods of a protocol test the same images, with equal labels.

    Methods that are trained are compared repeat by repeat; zero-shot predictions, which
    have one repeat, are compared with others of their kind.
    """
    groups: dict[tuple[object, ...], dict[str, list[Run]]] = {}
    for run in runs:
        key = (run.protocol, run.method, run.repeat)
        groups.setdefault(key, {}).setdefault(run.encoder, []).append(run)
    for (protocol, method, repeat), encoders in groups.items():
        (first, own), *others = encoders.items()
        for encoder, given in others:
            differ = 0 if _alike(own, given) else _differing(own, given)
            if differ:
                raise _contradiction(
                    f"{differ} images or labels that "
                    f"differ between {first} and {encoder} ({protocol}, {method}, "
                    f"repeat {repeat})",
                    "the same images with the same labels for every encoder",
                )


def _alike(own: Sequence[Run], given: Sequence[Run]) -> bool:
    """Whether they have the same labels run by run, as nearly always."""
    return len(own) == len(given) and all(
        a.outcomes.classes == b.outcomes.classes
        and np.array_equal(a.image_ids, b.image_ids)
        and np.array_equal(a.outcomes.y_true, b.outcomes.y_true)
        for a, b in zip(own, given, strict=True)
    )


def _differing(own: Sequence[Run], given: Sequence[Run]) -> int:
    """How many images have another label, or no label, in one of the two."""
    differ = set(_labels(own).items()) ^ set(_labels(given).items())
    return len({image for image, _ in differ})


def _labels(runs: Sequence[Run]) -> dict[str, str]:
    return {
        image: run.outcomes.classes[label]
        for run in runs
        for image, label in zip(run.image_ids, run.outcomes.y_true, strict=True)
    }


def counts_agree(outcomes: Outcomes, values: Mapping[str, float], where: str) -> None:
    """Accuracy is hits over images, and macro recall where all supports are equal."""
    c = confusion(outcomes)
    accuracy, supports = np.trace(c) / c.sum(), c.sum(axis=1)
    _equal(values["accuracy"], accuracy, where, "accuracy", "hits over images")
    present = supports[supports > 0]
    if (present == present[0]).all():
        _equal(
            values["accuracy"],
            values["macro_recall"],
            where,
            "accuracy",
            "macro recall, as all supports are equal",
        )


def supports_agree(supports: Sequence[float], n: float, where: str) -> None:
    """The supports of the classes add up to the number of images."""
    _equal(sum(supports), n, where, "the sum of supports", "the number of images")


def within_range(values: Mapping[str, float], where: str) -> None:
    """Shares lie between 0 and 1, and what cannot be negative is not."""
    for name, value in values.items():
        metric = METRICS.get(name)
        low, high = metric.bounds if metric else (-np.inf, np.inf)
        if not (np.isnan(value) or low - _TOLERANCE <= value <= high + _TOLERANCE):
            raise _contradiction(
                f"{name} = {value:.6g} ({where})", f"a value from {low:g} to {high:g}"
            )


def _equal(a: float, b: float, where: str, name: str, other: str) -> None:
    if abs(a - b) > _TOLERANCE * max(1.0, abs(b)):
        raise _contradiction(
            f"{name} = {a:.10g} but {other} = {b:.10g} ({where})", "equal numbers"
        )


def _contradiction(received: str, expected: str) -> BakeoffError:
    return BakeoffError(
        "consistency check",
        received,
        expected,
        "Delete the tables of predictions and metrics and run again; if it comes back, "
        "report it as a fault of bakeoff.",
    )
