"""InfoNCE and the sigmoid loss over unique texts: exact, and linear in the batch.

A batch of B images draws its texts from a small bank of prompts, so that only U << B
texts differ. Both losses depend on the B x B matrix of pairs through its B x U distinct
columns and their multiplicities alone. Symbols used throughout:

    z_iu      logit of image i and text u: scale * <x_i, t_u> (+ bias)
    a_i, a_u  anchor: how often the row is an anchor (1 per image of the batch, the
              multiplicity n_u of a text; 0 for whatever comes from the memory)
    m_i, m_u  weight: how often the row stands among the candidates of an anchor
    B         number of anchors, sum_i a_i = sum_u a_u

Free captions, each used once, are the case U = B, a = m = 1. Both losses are sums over
images, given at most U numbers (`columns`): that is what lets micro-batches, chunks and
processes add up to the loss of the whole batch. `docs/large-batches.md` derives it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor
from torch.nn.functional import softplus

Positives = Literal["class", "pair"]
Normalisation = Literal["per_image", "per_pair", "per_square"]

# Elements of one chunk of logits; a handful of such matrices live at the same time.
_CHUNK = 2**20


@dataclass(frozen=True)
class Rows:
    """What a loss knows of n images or texts besides their vectors; all of shape (n,).

    `classes` are class indices and `prompts` indices into the prompt bank (of an image:
    the prompt drawn for it; -1: nobody's own pair), both int64. `anchor` and `weight`
    are a and m of the module's text, floating point.
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


def text_rows(prompts: Tensor, prompt_classes: Tensor) -> Rows:
    """Rows of the U distinct prompts among `prompts` (B,), in increasing order.

    `prompt_classes` (P,) is the class of every prompt of the bank.
    """
    unique, counts = torch.unique(prompts, return_counts=True)
    return Rows(prompt_classes[unique], unique, counts.double(), counts.double())


class BoundLoss(Protocol):
    """A loss that knows the labels, though not yet the vectors, of a whole step.

    The value of the loss is the sum of `terms` over any division of the images into
    chunks, plus `constant`; its gradient is the sum of the gradients of `terms`.
    """

    needs_columns: bool
    floor: float

    def columns(self, x: Tensor, rows: Rows, t: Tensor, scale: Tensor) -> Tensor:
        """log-sum-exp over these images for every text, (U,); combine by logaddexp."""

    def terms(
        self,
        x: Tensor,
        rows: Rows,
        t: Tensor,
        scale: Tensor,
        bias: Tensor | None,
        columns: Tensor | None,
    ) -> Tensor:
        """What the images x (b, D), unit vectors, add to the loss; t is (U, D)."""

    def constant(self, columns: Tensor | None) -> Tensor:
        """What no image adds."""


class Loss(Protocol):
    """A loss before it has seen any label."""

    def bind(self, images: Rows, texts: Rows) -> BoundLoss:
        """The loss of the step whose images and texts are these."""


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
    """InfoNCE of one step:

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
        n = _n_classes(images, texts)
        self.image_mass = _by_class(images.weight, images.classes, n)
        self.text_mass = _by_class(texts.weight, texts.classes, n)
        self.floor = self._floor(images)

    def columns(self, x: Tensor, rows: Rows, t: Tensor, scale: Tensor) -> Tensor:
        """log sum_i m_i e^z_iu over these images, (U,)."""
        z = _logits(x, t, scale, None)
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
        z = _logits(x, t, scale, None)
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
        positive = _positive(self.positives, rows, self.texts)
        if self.positives == "pair":
            return 2 * positive * rows.anchor.to(dtype)[:, None]
        image_mass = self.image_mass[rows.classes].clamp_min(1e-30)
        text_mass = self.text_mass[rows.classes].clamp_min(1e-30)
        towards_texts = _outer(rows.anchor / text_mass, self.texts.weight, dtype)
        towards_images = _outer(rows.weight / image_mass, self.texts.anchor, dtype)
        return positive * (towards_texts + towards_images)

    def _floor(self, images: Rows) -> float:
        """The lowest value: cross-entropy is least where softmax equals its target."""
        texts = self.texts
        if self.positives == "pair":
            own = _by_prompt(texts, texts.weight, images)
            rivals = texts.anchor
        else:
            own = self.text_mass[images.classes]
            rivals = self.image_mass[texts.classes]
        entropy = _xlogy(images.anchor, own) + _xlogy(texts.anchor, rivals)
        return float(entropy / (2 * self.batch))


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
    """The sigmoid loss of one step:

    1/norm sum_iu [ w_c(i) y_iu softplus(-z_iu) + (v_iu - y_iu) softplus(z_iu) ]

    where v_iu = a_i m_u + m_i a_u - a_i a_u counts the pairs that hold an anchor and
    y_iu those of them that are positive. `positive_fraction` is the weighted share of
    the positives, whose log-odds are the best constant logit.
    """

    needs_columns = False

    def __init__(self, loss: Sigmoid, images: Rows, texts: Rows) -> None:
        self.positives, self.texts = loss.positives, texts
        n = _n_classes(images, texts)
        pairs = _pair_mass(images, texts, 0 * images.classes, 0 * texts.classes, 1)
        if loss.positives == "class":
            positive = _pair_mass(images, texts, images.classes, texts.classes, n)
            own = _by_class(texts.weight, texts.classes, n)
        else:
            positive = _by_class(images.anchor, images.classes, n)
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
        z = _logits(x, t, scale, bias)
        texts, dtype = self.texts, z.dtype
        v = _outer(rows.anchor, texts.weight - texts.anchor, dtype)
        v = v + _outer(rows.weight, texts.anchor, dtype)
        positive = _positive(self.positives, rows, texts)
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
        negative = _by_prompt(self.texts, self.texts.weight, images) - 1
        total = positive + negative
        lowest = (
            torch.xlogy(total, total)
            - torch.xlogy(positive, positive)
            - torch.xlogy(negative, negative)
        )
        return float(images.anchor @ lowest) / self.norm


def full_batch(
    bound: BoundLoss,
    x: Tensor,
    images: Rows,
    t: Tensor,
    scale: Tensor,
    bias: Tensor | None = None,
    *,
    chunk: int | None = None,
) -> Tensor:
    """The loss, a scalar, of images x (B, D) and texts t (U, D), unit vectors.

    Logits are made, and made again for the gradient, `chunk` images at a time, so the
    memory beyond the vectors and their gradients does not grow with B.
    """
    rows = chunk or max(1, _CHUNK // max(1, len(t)))
    return _FullBatch.apply(x, t, scale, bias, bound, images, rows)


class _FullBatch(torch.autograd.Function):
    """Sum of a bound loss's terms, keeping the vectors and at most U numbers."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        t: Tensor,
        scale: Tensor,
        bias: Tensor | None,
        bound: BoundLoss,
        images: Rows,
        chunk: int,
    ) -> Tensor:
        columns = None
        if bound.needs_columns:
            parts = (
                bound.columns(x[part], images[part], t, scale)
                for part in _parts(len(x), chunk)
            )
            columns = combine(parts)
        total = bound.constant(columns).to(x.dtype)
        for part in _parts(len(x), chunk):
            total = total + bound.terms(x[part], images[part], t, scale, bias, columns)
        ctx.save_for_backward(x, t, scale, bias, columns)
        ctx.bound, ctx.images, ctx.chunk = bound, images, chunk
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, t, scale, bias, columns = ctx.saved_tensors
        shared = [
            v.detach().requires_grad_() for v in (t, scale, bias) if v is not None
        ]
        grad_x = torch.empty_like(x)
        sums = [torch.zeros_like(v) for v in shared]
        for part in _parts(len(x), ctx.chunk):
            leaf = x[part].detach().requires_grad_()
            with torch.enable_grad():
                arguments = [*shared, None] if bias is None else shared
                value = ctx.bound.terms(leaf, ctx.images[part], *arguments, columns)
            found = torch.autograd.grad(
                value, [leaf, *shared], grad.to(value.dtype), materialize_grads=True
            )
            grad_x[part] = found[0]
            for total, one in zip(sums, found[1:], strict=True):
                total += one
        grad_bias = None if bias is None else sums[2]
        return grad_x, sums[0], sums[1], grad_bias, None, None, None


def combine(columns: Iterator[Tensor]) -> Tensor:
    """One log-sum-exp per text from those of several sets of images, all (U,)."""
    total = next(columns)
    for part in columns:
        total = torch.logaddexp(total, part)
    return total


def _parts(n: int, chunk: int) -> Iterator[slice]:
    return (slice(start, start + chunk) for start in range(0, n, chunk))


def _logits(x: Tensor, t: Tensor, scale: Tensor, bias: Tensor | None) -> Tensor:
    """(b, U) in at least float32, whatever autocast says.

    Near |z| = 100, bf16 logits are 0.5 apart, and fp16 gradients of the scale are wrong
    altogether; the product itself costs next to nothing here.
    """
    with torch.autocast(x.device.type, enabled=False):
        dtype = torch.promote_types(x.dtype, torch.float32)
        z = scale.to(dtype) * (x.to(dtype) @ t.to(dtype).T)
        return z if bias is None else z + bias.to(dtype)


def _positive(positives: Positives, images: Rows, texts: Rows) -> Tensor:
    """Which pairs may be positive, (b, U) boolean."""
    if positives == "class":
        return images.classes[:, None] == texts.classes
    return images.prompts[:, None] == texts.prompts


def _outer(left: Tensor, right: Tensor, dtype: torch.dtype) -> Tensor:
    return left.to(dtype)[:, None] * right.to(dtype)


def _n_classes(images: Rows, texts: Rows) -> int:
    return int(max(images.classes.max(), texts.classes.max())) + 1


def _by_class(values: Tensor, classes: Tensor, n: int) -> Tensor:
    """Sums of `values` by class, (n,)."""
    return torch.zeros(n, dtype=values.dtype, device=values.device).index_add(
        0, classes, values
    )


def _pair_mass(
    images: Rows, texts: Rows, image_of: Tensor, text_of: Tensor, n: int
) -> Tensor:
    """Sum of v_iu over the pairs whose two members share a class, by class, (n,)."""
    a_i, m_i = (_by_class(v, image_of, n) for v in (images.anchor, images.weight))
    a_u, m_u = (_by_class(v, text_of, n) for v in (texts.anchor, texts.weight))
    return a_i * m_u + m_i * a_u - a_i * a_u


def _by_prompt(texts: Rows, values: Tensor, images: Rows) -> Tensor:
    """The value of every image's own text, (B,); texts that are nobody's are left out."""
    own = texts.prompts >= 0
    n = int(max(images.prompts.max(), texts.prompts.max())) + 1
    table = _by_class(values[own], texts.prompts[own], n)
    return table[images.prompts.clamp_min(0)]


def _positive_weight(loss: Sigmoid, own: Tensor, total: Tensor) -> Tensor:
    """Weight of a positive pair, by class, (K,)."""
    if loss.positive_weight == "balanced":
        return (total - own) / own.clamp_min(1e-30)
    return torch.full_like(own, float(loss.positive_weight))


def _xlogy(weights: Tensor, values: Tensor) -> Tensor:
    """sum w log v, with 0 log v = 0."""
    return torch.where(weights > 0, weights * values.clamp_min(1e-30).log(), 0.0).sum()
