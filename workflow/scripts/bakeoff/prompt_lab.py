"""Prompt lab: which prompts to keep, and what that gains on images not chosen on.

For each run of a protocol, prompts are dropped class by class as long as that raises
the accuracy of zero-shot classification of the training images; the run's test images
are then classified with the prompts that were kept. Only those predictions may be
compared.

Symbols: n images, P prompts, K classes; s (n, P) cosines of images and prompts.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.stats import norm

from bakeoff.errors import BakeoffError
from bakeoff.folds import Run, runs
from bakeoff.probes.inputs import Labels, aligned, normalised, read_images
from bakeoff.probes.interface import Predicted
from bakeoff.probes.outputs import columns, joined, provenance
from bakeoff.tables import strings, vectors


@dataclass(frozen=True)
class Gain:
    """Accuracy on held-out images with all prompts and with those kept.

    low, high: normal interval of the mean difference per image, images taken as
    independent; for repeated protocols every image counts once, with its mean.
    """

    n: int
    before: float
    after: float
    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class Lab:
    """Predictions of the kept prompts (columns, provenance), their gain, and kept.

    kept: (runs, P) whether each run kept each prompt.
    """

    columns: dict[str, Any]
    provenance: dict[str, Any]
    gain: Gain
    kept: np.ndarray


@dataclass(frozen=True)
class Bank:
    """Prompts as vectors of length 1 (P, d), their class indices (P,), and K."""

    unit: np.ndarray
    owner: np.ndarray
    n_classes: int

    def all_heads(self) -> np.ndarray:
        """(K, d) class vectors of the whole bank."""
        return self.heads(np.ones(len(self.owner), bool))

    def heads(self, kept: np.ndarray) -> np.ndarray:
        """(K, d) class vectors: the normalised mean of the prompts kept."""
        means = np.stack(
            [
                self.unit[kept & (self.owner == k)].mean(axis=0)
                for k in range(self.n_classes)
            ]
        )
        return means / np.linalg.norm(means, axis=1, keepdims=True)


def prompt_lab(
    embeddings: pa.Table,
    texts: pa.Table,
    manifest: pa.Table,
    folds: pa.Table,
    *,
    encoder: str,
    protocol: str,
    study: str,
    labels: Labels,
    logit_scale: float,
    confidence: float = 0.95,
) -> Lab:
    """Predictions and gain of prompts chosen on the training images of each run.

    Raises BakeoffError where a run has no training images to choose on.
    """
    images = read_images(manifest, labels)
    x = normalised(aligned(embeddings, images, encoder), images, encoder)
    bank = read_texts(texts, images.problem.classes)
    kept, parts = [], []
    for run in runs(folds):
        train, test = images.rows(run.train_ids), images.rows(run.test_ids)
        _need_training(run)
        kept.append(choose(bank, x[train], images.y[train]))
        logits = logit_scale * x[test] @ bank.heads(kept[-1]).T
        parts.append((run, test, Predicted(logits.argmax(axis=1), scores=logits)))
    rows = np.concatenate([test for _, test, _ in parts])
    predicted = joined([p for _, _, p in parts])
    whole = (x @ bank.all_heads().T).argmax(axis=1)
    truth = images.y[rows]
    gain = _gain(rows, whole[rows] == truth, predicted.y == truth, confidence)
    made = columns(
        images,
        rows,
        predicted,
        {"encoder": encoder, "method": "promptlab", "protocol": protocol},
        _runs(parts),
    )
    note = {**provenance(study, images, folds), "scores": "logit"}
    return Lab(made, note, gain, np.array(kept))


def _need_training(run: Run) -> None:
    if not len(run.train_ids):
        raise BakeoffError(
            "prompt lab",
            f"no training images in repeat {run.repeat}, fold {run.fold}",
            "training images to choose prompts on",
            "Choose a protocol that has some, such as kfold.",
        )


def _runs(parts: list[tuple[Run, np.ndarray, Predicted]]) -> dict[str, np.ndarray]:
    sizes = [len(test) for _, test, _ in parts]
    return {
        "repeat": np.repeat([run.repeat for run, _, _ in parts], sizes),
        "fold": np.repeat([run.fold for run, _, _ in parts], sizes),
        "seed": np.zeros(sum(sizes), dtype=np.int64),  # nothing is random
    }


def read_texts(texts: pa.Table, classes: tuple[str, ...]) -> Bank:
    """The prompts of a table of texts, in its order."""
    place = {name: k for k, name in enumerate(classes)}
    owner = np.array([place[name] for name in strings(texts, "class")])
    v = vectors(texts).astype(np.float64)
    return Bank(v / np.linalg.norm(v, axis=1, keepdims=True), owner, len(classes))


def choose(bank: Bank, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(P,) which prompts to keep, from training images x (n, d) with labels y (n,).

    Starting from all, the prompt of a class whose loss helps most is dropped, until no
    loss raises the number of hits; class by class, in rounds, until a round changes
    nothing. A class keeps at least one prompt. Ties keep the prompt.
    """
    kept = np.ones(len(bank.owner), bool)
    logits = x @ bank.heads(kept).T
    best, changed = _hits(logits, y), True
    while changed:
        changed = False
        for k in range(bank.n_classes):
            best, dropped = _ablate(bank, kept, logits, x, y, k, best)
            changed |= dropped
    return kept


def _ablate(
    bank: Bank,
    kept: np.ndarray,
    logits: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    k: int,
    best: int,
) -> tuple[int, bool]:
    """Drop prompts of class k, in place, while hits rise: hits, and whether any was."""
    dropped = False
    while True:
        own = np.flatnonzero(kept & (bank.owner == k))
        if len(own) < 2:
            return best, dropped
        total = bank.unit[own].sum(axis=0)
        heads = total - bank.unit[own]
        heads /= np.linalg.norm(heads, axis=1, keepdims=True)
        column = x @ heads.T  # (n, prompts): class k's score without each of them
        hits = [_hits(with_column(logits, k, c), y) for c in column.T]
        if max(hits) <= best:
            return best, dropped
        worst = int(np.argmax(hits))
        best, dropped = hits[worst], True
        kept[own[worst]] = False
        logits[:, k] = column[:, worst]


def with_column(logits: np.ndarray, k: int, column: np.ndarray) -> np.ndarray:
    """`logits` (n, K) with another score for class k."""
    changed = logits.copy()
    changed[:, k] = column
    return changed


def _hits(logits: np.ndarray, y: np.ndarray) -> int:
    return int((logits.argmax(axis=1) == y).sum())


def _gain(
    rows: np.ndarray, before: np.ndarray, after: np.ndarray, confidence: float
) -> Gain:
    """Means over images, each with its mean over repeats."""
    _, image = np.unique(rows, return_inverse=True)
    times = np.bincount(image)
    first = np.bincount(image, before) / times
    second = np.bincount(image, after) / times
    difference, n = second - first, len(times)
    error = difference.std(ddof=1) / np.sqrt(n) if n > 1 else float("nan")
    half = float(norm.ppf((1 + confidence) / 2) * error)
    mean = float(difference.mean())
    return Gain(
        n, float(first.mean()), float(second.mean()), mean, mean - half, mean + half
    )
