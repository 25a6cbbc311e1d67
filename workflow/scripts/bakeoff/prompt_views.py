"""What single prompts do: how far their accuracies spread, which ones mislead.

Both look at labels. They describe a bank; prompts are chosen by `prompt_lab`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bakeoff.prompt_lab import Bank, with_column


@dataclass(frozen=True)
class PromptAlone:
    """Accuracy and own class's recall where a prompt alone stands for its class."""

    label: str
    text: str
    accuracy: float
    recall: float


def spread_of_prompts(
    x: np.ndarray, y: np.ndarray, bank: Bank, classes: Iterable[str], texts: list[str]
) -> list[PromptAlone]:
    """How much each prompt matters: every one alone, other classes with all of theirs.

    x: (n, d) vectors of length 1; y: (n,). Descriptive: chosen on, it is a leak. Recall
    is NaN for a class that no image bears.
    """
    names = list(classes)
    logits = x @ bank.all_heads().T
    alone = []
    for p, k in enumerate(bank.owner):
        hit = with_column(logits, k, x @ bank.unit[p]).argmax(axis=1) == y
        recall = float(hit[y == k].mean()) if (y == k).any() else float("nan")
        alone.append(PromptAlone(names[k], texts[p], float(hit.mean()), recall))
    return alone


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
