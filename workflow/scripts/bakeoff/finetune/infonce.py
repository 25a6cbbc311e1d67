"""InfoNCE, the softmax loss of CLIP, over unique texts. Symbols as in `losses`."""

from dataclasses import dataclass

import torch
from torch import Tensor

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


@dataclass(frozen=True)
class InfoNCE:
    """The symmetric softmax loss of CLIP.

    With `positives="pair"`, equal to the mean of both directions' cross-entropy over
    the B x B matrix (Radford et al. 2021, figure 3). With `positives="class"`, every
    text of an image's class shares the target equally (UniCL, Yang et al. 2022, eq. 3).
    A bias would cancel, and is ignored.
    """

    positives: Positives = "class"

    def bind(self, images: Rows, texts: Rows) -> "BoundInfoNCE":
        """The loss of the step whose images and texts are these."""
        return BoundInfoNCE(self.positives, images, texts)


class BoundInfoNCE:
    """InfoNCE of one step.

    1/(2B) [ sum_i a_i (log sum_u m_u e^z_iu - sum_u p_iu z_iu)
           + sum_u a_u (log sum_i m_i e^z_iu - sum_i q_iu z_iu) ].

    The second log-sum-exp, C_u, couples the images. With C_u known, the gradient of
    sum_u a_u C_u is that of sum_iu a_u m_i e^(z_iu - C_u), a sum over images whose
    value is always sum_u a_u; hence `terms` and `constant`.
    """

    needs_columns = True

    def __init__(self, positives: Positives, images: Rows, texts: Rows) -> None:
        self.positives, self.texts = positives, texts
        self.batch = images.anchor.sum()
        n = n_classes(images, texts)
        self.image_mass = by_class(images.weight, images.classes, n)
        self.text_mass = by_class(texts.weight, texts.classes, n)
        self.floor = self._floor(images)

    def columns(self, x: Tensor, rows: Rows, t: Tensor, scale: Tensor) -> Tensor:
        """C_u, the log of sum_i m_i e^z_iu over these images, (U,)."""
        z = logits(x, t, scale, None)
        return torch.logsumexp(z + rows.weight.to(z.dtype).log()[:, None], dim=0)

    def terms(
        self,
        x: Tensor,
        rows: Rows,
        t: Tensor,
        scale: Tensor,
        bias: Tensor | None,
        columns: Tensor | None,
    ) -> Tensor:
        """What these images add to the loss and, by its gradient, to sum_u a_u C_u."""
        assert columns is not None
        z = logits(x, t, scale, None)
        anchor, weight = rows.anchor.to(z.dtype), rows.weight.to(z.dtype)
        text_anchor = self.texts.anchor.to(z.dtype)
        log_texts = self.texts.weight.to(z.dtype).log()
        over_texts = torch.logsumexp(z + log_texts, dim=1) @ anchor
        over_images = weight @ torch.exp(z - columns.to(z.dtype)) @ text_anchor
        attraction = (self._targets(rows, z.dtype) * z).sum()
        return (over_texts + over_images - attraction) / (2 * self.batch.to(z.dtype))

    def constant(self, columns: Tensor | None) -> Tensor:
        """1/(2B) sum_u a_u (C_u - 1)."""
        assert columns is not None
        anchor = self.texts.anchor.to(columns.dtype)
        return ((columns - 1) @ anchor) / (2 * self.batch.to(columns.dtype))

    def _targets(self, rows: Rows, dtype: torch.dtype) -> Tensor:
        """a_i p_iu + a_u q_iu, (b, U)."""
        positive = may_be_positive(self.positives, rows, self.texts)
        if self.positives == "pair":
            return 2 * positive * rows.anchor.to(dtype)[:, None]
        image_mass = self.image_mass[rows.classes].clamp_min(1e-30)
        text_mass = self.text_mass[rows.classes].clamp_min(1e-30)
        towards_texts = outer(rows.anchor / text_mass, self.texts.weight, dtype)
        towards_images = outer(rows.weight / image_mass, self.texts.anchor, dtype)
        return positive * (towards_texts + towards_images)

    def _floor(self, images: Rows) -> float:
        """The lowest value: cross-entropy is least where softmax equals its target."""
        texts = self.texts
        if self.positives == "pair":
            own = by_prompt(texts, texts.weight, images)
            rivals = texts.anchor
        else:
            own = self.text_mass[images.classes]
            rivals = self.image_mass[texts.classes]
        entropy = _xlogy(images.anchor, own) + _xlogy(texts.anchor, rivals)
        return float(entropy / (2 * self.batch))


def _xlogy(weights: Tensor, values: Tensor) -> Tensor:
    """The sum of w log v, with 0 log v = 0."""
    return torch.where(weights > 0, weights * values.clamp_min(1e-30).log(), 0.0).sum()
