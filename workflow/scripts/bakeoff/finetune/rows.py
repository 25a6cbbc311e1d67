"""What a loss knows of images and texts besides their vectors."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Positives = Literal["class", "pair"]


@dataclass(frozen=True)
class Rows:
    """What a loss knows of n images or texts besides their vectors; all of shape (n,).

    `classes` are class indices and `prompts` indices into the prompt bank (of an image:
    the prompt drawn for it; -1: nobody's own pair), both int64. `anchor` and `weight`
    are a and m of the module `losses`, floating point.
    """

    classes: Tensor
    prompts: Tensor
    anchor: Tensor
    weight: Tensor

    def __len__(self) -> int:
        return len(self.classes)

    def __getitem__(self, rows: slice) -> "Rows":
        return Rows(
            self.classes[rows], self.prompts[rows], self.anchor[rows], self.weight[rows]
        )

    def joined(self, other: "Rows") -> "Rows":
        """These rows followed by those of `other`."""
        return Rows(
            torch.cat([self.classes, other.classes]),
            torch.cat([self.prompts, other.prompts]),
            torch.cat([self.anchor, other.anchor]),
            torch.cat([self.weight, other.weight]),
        )

    def to(self, device: torch.device | str) -> "Rows":
        """The same rows on another device."""
        return Rows(
            self.classes.to(device),
            self.prompts.to(device),
            self.anchor.to(device),
            self.weight.to(device),
        )


def image_rows(classes: Tensor, prompts: Tensor) -> Rows:
    """Rows of a batch's images, (B,): each one anchor and one candidate."""
    ones = torch.ones(len(classes), dtype=torch.float64, device=classes.device)
    return Rows(classes, prompts, ones, ones)


def text_rows(
    prompts: Tensor,
    prompt_classes: Tensor,
    others: Tensor | None = None,
    weights: Tensor | None = None,
) -> Rows:
    """Rows of the U distinct prompts among `prompts` (B,), in increasing order.

    `prompt_classes` (P,) is the class of every prompt of the bank. `others` (n,) are
    prompts that stand among the candidates with `weights` (n,) but are no anchors:
    those of the memory, and hard negatives.
    """
    n = len(prompt_classes)
    anchor = torch.bincount(prompts, minlength=n).double()
    weight = anchor
    if others is not None and weights is not None:
        weight = anchor.index_add(0, others, weights.double())
    unique = weight.nonzero().squeeze(1)
    return Rows(prompt_classes[unique], unique, anchor[unique], weight[unique])


def may_be_positive(positives: Positives, images: Rows, texts: Rows) -> Tensor:
    """Which pairs may be positive, (b, U) boolean."""
    if positives == "class":
        return images.classes[:, None] == texts.classes
    return images.prompts[:, None] == texts.prompts


def outer(left: Tensor, right: Tensor, dtype: torch.dtype) -> Tensor:
    """The products of all pairs, (b, U), in `dtype`."""
    return left.to(dtype)[:, None] * right.to(dtype)


def n_classes(images: Rows, texts: Rows) -> int:
    """One more than the largest class index of both."""
    return int(max(images.classes.max(), texts.classes.max())) + 1


def by_class(values: Tensor, classes: Tensor, n: int) -> Tensor:
    """Sums of `values` by class, (n,)."""
    return torch.zeros(n, dtype=values.dtype, device=values.device).index_add(
        0, classes, values
    )


def by_prompt(texts: Rows, values: Tensor, images: Rows) -> Tensor:
    """The value of every image's own text, (B,)."""
    own = texts.prompts >= 0
    n = int(max(images.prompts.max(), texts.prompts.max())) + 1
    table = by_class(values[own], texts.prompts[own], n)
    return table[images.prompts.clamp_min(0)]
