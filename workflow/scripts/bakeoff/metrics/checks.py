"""What must be true of every table of predictions and metrics, whatever the encoder.

Each check raises BakeoffError with the numbers that contradict each other; none of them
can fail on tables that bakeoff made and nobody edited.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from bakeoff.errors import BakeoffError, listed
from bakeoff.metrics.definitions import METRICS
from bakeoff.metrics.interface import Outcomes, confusion
from bakeoff.metrics.outcomes import Run

_TOLERANCE = 1e-9


def scored_once(runs: Sequence[Run]) -> None:
    """Every image is scored at most once per encoder, method, protocol and repeat."""
    seen: Counter[tuple[object, ...]] = Counter()
    for run in runs:
        key = (run.encoder, run.method, run.protocol, run.repeat)
        seen.update((*key, image) for image in run.image_ids)
    twice = [key for key, count in seen.items() if count > 1]
    if twice:
        raise _contradiction(
            f"{len(twice)} images scored more than once in a repeat, among them "
            f"{listed(key[-1] for key in twice)}",
            "every image once per repeat",
        )


def same_images(runs: Sequence[Run]) -> None:
    """All encoders and methods of a protocol test the same images, with equal labels.

    Methods that are trained are compared repeat by repeat; zero-shot predictions, which
    have one repeat, are compared with others of their kind.
    """
    groups: dict[tuple[object, ...], dict[str, dict[str, str]]] = {}
    for run in runs:
        key = (run.protocol, run.method, run.repeat)
        own = groups.setdefault(key, {}).setdefault(run.encoder, {})
        labels = np.array(run.outcomes.classes, object)[run.outcomes.y_true]
        own.update(zip(run.image_ids.tolist(), labels.tolist(), strict=True))
    for (protocol, method, repeat), encoders in groups.items():
        (first, expected), *others = encoders.items()
        for encoder, given in others:
            if given != expected:
                differ = set(given.items()) ^ set(expected.items())
                raise _contradiction(
                    f"{len({image for image, _ in differ})} images or labels that "
                    f"differ between {first} and {encoder} ({protocol}, {method}, "
                    f"repeat {repeat})",
                    "the same images with the same labels for every encoder",
                )


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
