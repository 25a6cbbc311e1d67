"""The gradient of one large batch, exactly, from micro-batches.

    texts      encoded once; from here on a leaf that collects their gradient
    columns    InfoNCE only: one pass over the images leaves U log-sum-exps
    images     each micro-batch encoded, its terms differentiated, and forgotten
    the rest   one backward pass through the text tower, the scale and the bias

The sigmoid loss runs every image through its tower once. InfoNCE runs it twice, except
for the last micro-batch, whose graph is kept from the first pass: a batch of a single
micro-batch costs no second pass. What is kept between the passes is U numbers, neither
the B x D vectors nor the B x B matrix.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from bakeoff.finetune.losses import BoundLoss, combine
from bakeoff.finetune.ranks import Ranks
from bakeoff.finetune.rows import Rows


class TwoTower(Protocol):
    """What open_clip's models offer: `logit_scale` is a logarithm."""

    logit_scale: Tensor
    logit_bias: Tensor | None

    def encode_image(self, image: Tensor) -> Tensor:
        """(b, D) of pictures (b, 3, H, W), of any length."""

    def encode_text(self, text: Tensor) -> Tensor:
        """(U, D) of token ids (U, L), of any length."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """All parameters."""


@dataclass(frozen=True)
class Queued:
    """Unit vectors of former steps, (n, D), without a gradient, and their rows."""

    vectors: Tensor
    rows: Rows


@dataclass(frozen=True)
class Step:
    """One step's data, the same in every process.

    `pixels(part)` gives the (b, 3, H, W) pictures of the batch's images `part`, the
    same ones however often it is asked. `images` are the B rows of the whole batch and
    `tokens` (U, L) the texts to be encoded. `queued_images` and `queued_texts` come
    from the memory. `bound` was made of all images (queued last) and all texts (queued
    last).
    """

    bound: BoundLoss
    images: Rows
    pixels: Callable[[slice], Tensor]
    tokens: Tensor
    queued_images: Queued | None = None
    queued_texts: Queued | None = None


@dataclass(frozen=True)
class Stepping:
    """How a step is run: all that changes speed and memory, not the gradient.

    `seed` makes dropout a function of (seed, position in the batch), so that both
    passes of InfoNCE, and a step repeated after an interruption, see the same masks.
    `between` is called before every micro-batch and may raise to abandon the step.
    `keep_images` asks for the images' vectors, B x D numbers that only a memory needs.
    """

    micro_batch: int
    text_chunk: int = 4096
    ranks: Ranks = field(default_factory=Ranks)
    autocast: Callable[[], AbstractContextManager] = nullcontext
    grad_factor: float = 1.0
    between: Callable[[], None] = lambda: None
    keep_images: bool = False


@dataclass(frozen=True)
class Gradient:
    """What a step leaves besides the gradients.

    `loss` is a scalar; `images` and `texts` are unit vectors of this process's share of
    the batch (none unless kept) and of the U texts, without a gradient.
    """

    loss: Tensor
    images: Tensor
    texts: Tensor


def accumulate(model: TwoTower, step: Step, how: Stepping, seed: int) -> Gradient:
    """Add the gradient of the step's loss to every trainable parameter's `grad`.

    Gradients are multiplied by `how.grad_factor` (the factor of a GradScaler).
    """
    run = _Run(model, step, how, seed)
    encoded = run.encode_texts()
    scale = model.logit_scale.exp()
    outputs = [encoded, scale] + (
        [] if model.logit_bias is None else [model.logit_bias]
    )
    leaves = [output.detach().requires_grad_() for output in outputs]
    gradient = run.over_images(*leaves)
    _backward_through(outputs, leaves, run.texts_again)
    how.ranks.sum_gradients(p for p in model.parameters() if p.requires_grad)
    return gradient


class _Run:
    """One call of `accumulate`."""

    def __init__(self, model: TwoTower, step: Step, how: Stepping, seed: int) -> None:
        self.model, self.step, self.how, self.seed = model, step, how, seed
        share = how.ranks.share(len(step.images))
        starts = range(share.start, share.stop, how.micro_batch)
        self.parts = [
            slice(start, min(start + how.micro_batch, share.stop)) for start in starts
        ]

    def encode_texts(self) -> Tensor:
        """(U, D) unit vectors; with a graph if they fit into one chunk."""
        if len(self.step.tokens) <= self.how.text_chunk:
            return self._text(self.step.tokens, 0)
        with torch.no_grad():
            return torch.cat([self._text(*chunk) for chunk in self._text_chunks()])

    def texts_again(self, gradient: Tensor) -> None:
        """Send the texts' gradient (U, D) through the tower, chunk by chunk."""
        if not any(p.requires_grad for p in self.model.parameters()):
            return
        for tokens, start in self._text_chunks():
            vectors = self._text(tokens, start)
            if vectors.requires_grad:
                vectors.backward(gradient[start : start + len(tokens)])

    def over_images(
        self, t: Tensor, scale: Tensor, bias: Tensor | None = None
    ) -> Gradient:
        """Loss and vectors; gradients go to the image tower and to the three leaves."""
        bound, columns, kept = self.step.bound, None, None
        candidates = self._with_queue(t)
        if bound.needs_columns:
            columns, kept = self._columns(candidates.detach(), scale.detach())
        loss = torch.zeros((), dtype=t.dtype, device=t.device)
        vectors: list[Tensor] = []
        for part in reversed(self.parts):
            x = self._image(part) if kept is None else kept
            kept = None
            rows = self.step.images[part]
            value = bound.terms(x, rows, self._with_queue(t), scale, bias, columns)
            (value * self.how.grad_factor).backward()
            loss = loss + value.detach()
            if self.how.keep_images:
                vectors.append(x.detach())
        for queued in self._queue_share():
            value = bound.terms(
                queued.vectors, queued.rows, self._with_queue(t), scale, bias, columns
            )
            (value * self.how.grad_factor).backward()
            loss = loss + value.detach()
        loss = self.how.ranks.sum(loss) + bound.constant(columns).to(loss.dtype)
        return Gradient(loss, self._in_order(vectors, t), t.detach())

    def _columns(self, t: Tensor, scale: Tensor) -> tuple[Tensor, Tensor | None]:
        """The U log-sum-exps over all images, and the last micro-batch's graph."""
        # Starts from "no image yet": a process may hold no image of a small batch.
        found = [torch.full((len(t),), -torch.inf, dtype=t.dtype, device=t.device)]
        kept = None
        for part in self.parts:
            with torch.set_grad_enabled(part is self.parts[-1]):
                kept = self._image(part)
            with torch.no_grad():
                rows = self.step.images[part]
                found.append(self.step.bound.columns(kept, rows, t, scale))
        found += [
            self.step.bound.columns(queued.vectors, queued.rows, t, scale)
            for queued in self._queue_share()
        ]
        return self.how.ranks.logsumexp(combine(found)), kept

    def _queue_share(self) -> Iterator[Queued]:
        """This process's part of the queued images, in chunks of bounded size."""
        queued = self.step.queued_images
        if queued is None:
            return
        share = self.how.ranks.share(len(queued.rows))
        for start in range(share.start, share.stop, 4096):
            part = slice(start, min(start + 4096, share.stop))
            yield Queued(queued.vectors[part], queued.rows[part])

    def _with_queue(self, t: Tensor) -> Tensor:
        queued = self.step.queued_texts
        return t if queued is None else torch.cat([t, queued.vectors.to(t.dtype)])

    def _in_order(self, vectors: list[Tensor], t: Tensor) -> Tensor:
        if not vectors:
            return t.new_zeros(0, t.shape[1])
        return torch.cat(vectors[::-1])

    def _image(self, part: slice) -> Tensor:
        self.how.between()
        pixels = self.step.pixels(part)
        with _fixed_masks(self.seed, 2 * part.start, pixels), self.how.autocast():
            vectors = self.model.encode_image(pixels)
        return _unit(vectors)

    def _text(self, tokens: Tensor, start: int) -> Tensor:
        with _fixed_masks(self.seed, 2 * start + 1, tokens), self.how.autocast():
            vectors = self.model.encode_text(tokens)
        return _unit(vectors)

    def _text_chunks(self) -> Iterator[tuple[Tensor, int]]:
        size = self.how.text_chunk
        for start in range(0, len(self.step.tokens), size):
            yield self.step.tokens[start : start + size], start


def _backward_through(
    outputs: list[Tensor], leaves: list[Tensor], texts_again: Callable[[Tensor], None]
) -> None:
    """Carry the leaves' gradients on to what made them."""
    for output, leaf in zip(outputs, leaves, strict=True):
        if leaf.grad is None:
            continue
        if output.requires_grad:
            output.backward(leaf.grad)
        elif output is outputs[0]:
            texts_again(leaf.grad)


def _unit(vectors: Tensor) -> Tensor:
    """Unit length, in at least float32."""
    return normalize(
        vectors.to(torch.promote_types(vectors.dtype, torch.float32)), dim=-1
    )


@contextmanager
def _fixed_masks(seed: int, place: int, inputs: Tensor) -> Iterator[None]:
    """Dropout that depends on (seed, place) alone; the global state is untouched."""
    devices = [inputs.device] if inputs.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed((seed * 1_000_003 + place) % 2**63)
        yield
