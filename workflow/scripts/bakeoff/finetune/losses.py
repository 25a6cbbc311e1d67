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

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import torch
from torch import Tensor

from bakeoff.finetune.rows import Rows

# Elements of one chunk of logits, of which a handful live at the same time; and the
# fewest images of a chunk, below which matrix products are slow.
_CHUNK, _FEWEST = 2**18, 128


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
    rows = chunk or max(_FEWEST, _CHUNK // max(1, len(t)))
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


def combine(columns: Iterable[Tensor]) -> Tensor:
    """One log-sum-exp per text from those of several sets of images, all (U,)."""
    return torch.logsumexp(torch.stack(list(columns)), dim=0)


def _parts(n: int, chunk: int) -> Iterator[slice]:
    return (slice(start, start + chunk) for start in range(0, n, chunk))


def logits(x: Tensor, t: Tensor, scale: Tensor, bias: Tensor | None) -> Tensor:
    """(b, U) in at least float32, whatever autocast says.

    Near |z| = 100, bf16 logits are 0.5 apart, and fp16 gradients of the scale are wrong
    altogether; the product itself costs next to nothing here.
    """
    with torch.autocast(x.device.type, enabled=False):
        dtype = torch.promote_types(torch.promote_types(x.dtype, t.dtype), torch.float)
        z = scale.to(dtype) * (x.to(dtype) @ t.to(dtype).T)
        return z if bias is None else z + bias.to(dtype)
