"""Published tables made from predictions, and so free of contradictions."""

from dataclasses import dataclass

import numpy as np
from bakeoff.audit import unpaired_p
from bakeoff.audit.pairs import PairAudit
from bakeoff.stats.proportions import mcnemar_midp


@dataclass(frozen=True)
class Made:
    """A table of two models as CSV, and what the models predicted.

    labels: (N,) class of each image; predicted: (2, N).
    """

    text: str
    labels: np.ndarray
    predicted: np.ndarray


def made_table(rng: np.random.Generator) -> Made:
    """Two models on 1 to 5,000 images of 1 to 20 classes, each number rounded.

    Every number is rounded to 2, 3 or 4 digits of its own. Macro F1 is the mean over
    classes or the harmonic mean of macro precision and macro recall; the precision of
    a class never predicted counts 0 or is left out of the mean: all four are in use.
    """
    classes = int(rng.integers(1, 21))
    most = int(rng.choice([3, 30, 250]))
    supports = rng.integers(1, most + 1, classes)
    if rng.random() < 0.5:
        supports[:] = supports[0]
    labels = np.repeat(np.arange(classes), supports)
    predicted = np.stack([_predictions(labels, classes, rng) for _ in range(2)])
    lines = [
        line
        for name, own in zip("ab", predicted, strict=True)
        for line in _lines(name, labels, own, classes, rng)
    ]
    return Made(
        "\n".join(["model,class,support,recall", *lines, ""]), labels, predicted
    )


def _predictions(
    labels: np.ndarray, classes: int, rng: np.random.Generator
) -> np.ndarray:
    """Right with a chance of the class's own; else another class, some of them rare."""
    skill = rng.beta(*rng.choice([[1, 1], [8, 2], [30, 1]]), classes)
    wrong = rng.choice(classes, len(labels), p=rng.dirichlet(np.full(classes, 0.3)))
    return np.where(rng.random(len(labels)) < skill[labels], labels, wrong)


def _lines(
    name: str,
    labels: np.ndarray,
    predicted: np.ndarray,
    classes: int,
    rng: np.random.Generator,
) -> list[str]:
    counts = [np.bincount(x, minlength=classes) for x in (labels, predicted)]
    right = np.bincount(labels[labels == predicted], minlength=classes)
    recall = right / counts[0]
    defined = counts[1] > 0
    precision = right[defined] / counts[1][defined]
    macro_precision = precision.sum() / rng.choice([classes, len(precision)])
    f1 = (2 * right / (counts[0] + counts[1])).mean()
    if rng.random() < 0.5 and right.any():
        f1 = 2 / (1 / macro_precision + 1 / recall.mean())
    summary = {
        "accuracy": right.sum() / len(labels),
        "macro_recall": recall.mean(),
        "macro_precision": macro_precision,
        "macro_f1": f1,
    }
    rows = [(f"c{k}", counts[0][k], r) for k, r in enumerate(recall)]
    rows += [(metric, "", value) for metric, value in summary.items()]
    return [
        f"{name},{label},{support},{value:.{rng.integers(2, 5)}f}"
        for label, support, value in rows
    ]


def outside_bounds(pair: PairAudit, made: Made) -> tuple[list[str], int]:
    """Tests of the predictions that lie outside the audit's bounds, and all tests."""
    right = made.predicted == made.labels
    everything = {"all classes": np.ones(len(made.labels), bool)}
    images = everything | {f"c{k}": made.labels == k for k in set(made.labels)}
    wrong = []
    for bounds in (pair.overall, *pair.classes):
        a, b = right[:, images[bounds.name]]
        p = {
            "paired": mcnemar_midp(int((a & ~b).sum()), int((b & ~a).sum())),
            "unpaired": unpaired_p(int(a.sum()), int(b.sum()), bounds.n),
        }
        for test, value in p.items():
            low, high = getattr(bounds, test)
            if not low * (1 - 1e-9) <= value <= high * (1 + 1e-9):
                wrong.append(f"{test} of {bounds.name}: {value} not in {low} to {high}")
    return wrong, 2 * (1 + len(pair.classes))
