"""The pairwise sigmoid loss of SigLIP, over unique texts. Symbols as in `losses`."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import softplus

from bakeoff.finetune.losses import logits
from bakeoff.finetune.rows import (
    Positives,
    Rows,
    by_class,
    by_prompt,
    may_be_positive,
    n_classes,
    outer,
)

Normalisation = Literal["per_image", "per_pair", "per_square"]


@dataclass(frozen=True)
class Sigmoid:
    """The pairwise sigmoid loss of SigLIP (Zhai et al. 2023, eq. 1).

    Every pair is a question of its own: does this text speak of this image? The sum is
    divided by B (`per_image`, the paper's), by B^2 (`per_square`), or by the total
    weight of all pairs, those with the memory included (`per_pair`). Positive pairs
    weigh `positive_weight` times a negative one; "balanced" lets the positives of an
    image weigh, in total, as much as its negatives: (B - n_c) / n_c for class c.
    """

    positives: Positives = "class"
    positive_weight: float | Literal["balanced"] = 1.0
    normalisation: Normalisation = "per_image"

    def bind(self, images: Rows, texts: Rows) -> "BoundSigmoid":
        """The loss of the step whose images and texts are these."""
        return BoundSigmoid(self, images, texts)


class BoundSigmoid:
    """The sigmoid loss of one step.

    1/norm sum_iu [ w_c(i) y_iu softplus(-z_iu) + (v_iu - y_iu) softplus(z_iu) ]

    where v_iu = a_i m_u + m_i a_u - a_i a_u counts the pairs that hold an anchor and
    y_iu those of them that are positive. `positive_fraction` is the weighted share of
    the positives, whose log-odds are the best constant logit.
    """

    needs_columns = False

    def __init__(self, loss: Sigmoid, images: Rows, texts: Rows) -> None:
        self.positives, self.texts = loss.positives, texts
        n = n_classes(images, texts)
        pairs = _pair_mass(images, texts, 0 * images.classes, 0 * texts.classes, 1)
        if loss.positives == "class":
            positive = _pair_mass(images, texts, images.classes, texts.classes, n)
            own = by_class(texts.weight, texts.classes, n)
        else:
            positive = by_class(images.anchor, images.classes, n)
            own = torch.ones_like(positive)
        self.positive_weight = _positive_weight(loss, own, texts.weight.sum())
        weighted = float(self.positive_weight @ positive)
        total = weighted + float(pairs.sum() - positive.sum())
        self.positive_fraction = weighted / total
        batch = float(images.anchor.sum())
        norms = {"per_image": batch, "per_square": batch**2, "per_pair": total}
        self.norm = norms[loss.normalisation]
        self.floor = self._floor(images)

    def columns(self, x: Tensor, rows: Rows, t: Tensor, scale: Tensor) -> Tensor:
        """Nothing couples the images: an error to ask."""
        raise AssertionError("the sigmoid loss has no columns")

    def terms(
        self,
        x: Tensor,
        rows: Rows,
        t: Tensor,
        scale: Tensor,
        bias: Tensor | None,
        columns: Tensor | None,
    ) -> Tensor:
        """What these images add to the loss."""
        z = logits(x, t, scale, bias)
        texts, dtype = self.texts, z.dtype
        v = outer(rows.anchor, texts.weight - texts.anchor, dtype)
        v = v + outer(rows.weight, texts.anchor, dtype)
        positive = may_be_positive(self.positives, rows, texts)
        y = positive * (
            v if self.positives == "class" else rows.anchor.to(dtype)[:, None]
        )
        w = self.positive_weight[rows.classes].to(dtype)[:, None]
        # w y softplus(-z) + (v - y) softplus(z), with softplus(-z) = softplus(z) - z.
        wy = w * y
        return ((v - y + wy) * softplus(z, threshold=40) - wy * z).sum() / self.norm

    def constant(self, columns: Tensor | None) -> Tensor:
        """Nothing."""
        return torch.zeros((), dtype=torch.float64, device=self.texts.anchor.device)

    def _floor(self, images: Rows) -> float:
        """The lowest value: a pair both positive and negative cannot fall to zero.

        With class targets no pair is both; with pair targets, text u is the own text of
        one image and, in its other m_u - 1 copies, a negative of the same image.
        """
        if self.positives == "class":
            return 0.0
        positive = self.positive_weight[images.classes]
        negative = by_prompt(self.texts, self.texts.weight, images) - 1
        total = positive + negative
        lowest = (
            torch.xlogy(total, total)
            - torch.xlogy(positive, positive)
            - torch.xlogy(negative, negative)
        )
        return float(images.anchor @ lowest) / self.norm


def _pair_mass(
    images: Rows, texts: Rows, image_of: Tensor, text_of: Tensor, n: int
) -> Tensor:
    """Sum of v_iu over the pairs whose two members share a class, by class, (n,)."""
    a_i, m_i = (by_class(v, image_of, n) for v in (images.anchor, images.weight))
    a_u, m_u = (by_class(v, text_of, n) for v in (texts.anchor, texts.weight))
    return a_i * m_u + m_i * a_u - a_i * a_u


def _positive_weight(loss: Sigmoid, own: Tensor, total: Tensor) -> Tensor:
    """Weight of a positive pair, by class, (K,)."""
    if loss.positive_weight == "balanced":
        return (total - own) / own.clamp_min(1e-30)
    return torch.full_like(own, float(loss.positive_weight))
