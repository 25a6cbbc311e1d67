"""What single prompts do: how far their accuracies spread, which ones mislead.

Both look at labels. They describe a bank; prompts are chosen by `prompt_lab`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from bakeoff.probes.inputs import Labels, aligned, normalised, read_images
from bakeoff.prompt_lab import Bank, read_texts, with_column
from bakeoff.tables import strings


@dataclass(frozen=True)
class PromptAlone:
    """Accuracy and own class's recall where a prompt alone stands for its class.

    effect: that recall minus the class's recall with the whole bank.
    """

    label: str
    text: str
    accuracy: float
    recall: float
    effect: float


def spread_of_prompts(
    x: np.ndarray, y: np.ndarray, bank: Bank, classes: Iterable[str], texts: list[str]
) -> list[PromptAlone]:
    """How much each prompt matters: every one alone, other classes with all of theirs.

    x: (n, d) vectors of length 1; y: (n,). Descriptive: chosen on, it is a leak. Recall
    is NaN for a class that no image bears.
    """
    names = list(classes)
    logits = x @ bank.all_heads().T
    whole = logits.argmax(axis=1) == y
    alone = []
    for p, k in enumerate(bank.owner):
        hit = with_column(logits, k, x @ bank.unit[p]).argmax(axis=1) == y
        own = y == k
        recall = float(hit[own].mean()) if own.any() else float("nan")
        effect = recall - float(whole[own].mean()) if own.any() else float("nan")
        alone.append(PromptAlone(names[k], texts[p], float(hit.mean()), recall, effect))
    return alone


def prompt_rows(
    embeddings: pa.Table,
    texts: pa.Table,
    manifest: pa.Table,
    *,
    kept: np.ndarray,
    encoder: str,
    labels: Labels,
) -> list[dict[str, Any]]:
    """One row per prompt of a bank: what it does alone, and how often it was kept.

    kept: (runs, P) of the prompt lab. `template` is its place among the prompts of its
    class. All images of the manifest are looked at: a description, not a result.
    """
    images = read_images(manifest, labels)
    x = normalised(aligned(embeddings, images, encoder), images, encoder)
    bank = read_texts(texts, images.problem.classes)
    said = list(strings(texts, "text"))
    alone = spread_of_prompts(x, images.y, bank, images.problem.classes, said)
    places = texts.column("template").to_pylist()
    return [
        {
            "class": prompt.label,
            "template": place,
            "text": prompt.text,
            "kept": float(share),
            "accuracy": prompt.accuracy,
            "recall": prompt.recall,
            "effect": prompt.effect,
        }
        for prompt, place, share in zip(alone, places, kept.mean(axis=0), strict=True)
    ]


@dataclass(frozen=True)
class HardNegative:
    """A prompt of another class that images of a class resemble.

    margin: mean cosine of the class's images to it minus that to their own best prompt;
    wins: share of these images that are more like it than like any of their own.
    """

    label: str
    prompt_label: str
    text: str
    margin: float
    wins: float


def hard_negatives(
    x: np.ndarray,
    y: np.ndarray,
    bank: Bank,
    classes: Iterable[str],
    texts: list[str],
    most: int = 3,
) -> list[HardNegative]:
    """The `most` prompts of other classes that each class's images are most like.

    x: (n, d) vectors of length 1 of training images; y: (n,). Ordered by class, then
    from the hardest down. For fine-tuning: negatives worth having in a batch.
    """
    names, s = list(classes), x @ bank.unit.T
    found = []
    for k in np.unique(y):
        own = s[np.ix_(y == k, bank.owner == k)].max(axis=1)
        others = np.flatnonzero(bank.owner != k)
        lead = s[np.ix_(y == k, others)] - own[:, None]
        for j in np.argsort(-lead.mean(axis=0), kind="stable")[:most]:
            p = others[j]
            found.append(
                HardNegative(
                    names[k],
                    names[bank.owner[p]],
                    texts[p],
                    float(lead[:, j].mean()),
                    float((lead[:, j] > 0).mean()),
                )
            )
    return found
