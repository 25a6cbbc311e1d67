"""The cross-batch memory: vectors of former steps as further candidates.

After Wang et al. 2020 (Cross-Batch Memory for Embedding Learning), for two towers:
encoders drift slowly, so the vectors of the last steps stand in for those that a larger
batch would have. Each entry is one image of a former step: its vector, class, prompt
and sample. Its text is encoded again with today's weights (the default, no drift), or
its vector is kept too (the published form). Entries are candidates of the batch's
anchors, never anchors themselves.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from bakeoff.finetune.rows import Rows
from bakeoff.finetune.stepping import Queued


class Memory(nn.Module):
    """A first-in, first-out ring of at most `capacity` images.

    All of its state is in registered buffers, so that a checkpoint holds it. Vectors
    are kept in `dtype`; float16 is eight times finer than bfloat16 for unit vectors.
    The memory counts from step `start` on, with a weight that grows linearly to
    `weight` over `ramp` steps.
    """

    images: Tensor
    texts: Tensor
    classes: Tensor
    prompts: Tensor
    samples: Tensor
    epochs: Tensor
    cursor: Tensor
    filled: Tensor

    def __init__(
        self,
        capacity: int,
        dimension: int,
        *,
        keep_texts: bool = False,
        dtype: torch.dtype = torch.float16,
        start: int = 0,
        ramp: int = 0,
        weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.capacity, self.keep_texts = capacity, keep_texts
        self.start, self.ramp, self.weight = start, ramp, weight
        vectors = torch.zeros(capacity, dimension, dtype=dtype)
        self.register_buffer("images", vectors)
        self.register_buffer("texts", vectors.clone() if keep_texts else vectors[:0])
        for name in ("classes", "prompts", "samples", "epochs"):
            self.register_buffer(name, torch.zeros(capacity, dtype=torch.int64))
        self.register_buffer("cursor", torch.zeros((), dtype=torch.int64))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def enqueue(
        self,
        images: Tensor,
        texts: Tensor,
        rows: Rows,
        samples: Tensor,
        epochs: Tensor,
    ) -> None:
        """Store a step's B images; call once per step that changed the weights.

        `images` and `texts` are (B, D) unit vectors, `samples` and `epochs` (B,) say
        which picture it was and how it was augmented. Of a batch larger than the
        memory the last images stay. Raises ValueError for vectors that are not finite:
        one of them would spoil every step until it leaves.
        """
        if not bool(torch.isfinite(images).all() and torch.isfinite(texts).all()):
            raise ValueError("vectors for the memory must be finite")
        keep = slice(max(0, len(images) - self.capacity), None)
        count = len(images[keep])
        slots = torch.arange(count, device=self.images.device) + self.cursor
        slots = slots % max(1, self.capacity)
        self.images[slots] = images[keep].to(self.images.dtype)
        if self.keep_texts:
            self.texts[slots] = texts[keep].to(self.texts.dtype)
        self.classes[slots], self.prompts[slots] = (
            rows.classes[keep],
            rows.prompts[keep],
        )
        self.samples[slots], self.epochs[slots] = samples[keep], epochs[keep]
        self.cursor.add_(count).remainder_(max(1, self.capacity))
        self.filled.add_(count).clamp_(max=self.capacity)

    def weight_at(self, step: int) -> float:
        """Weight of an entry in step 1, 2, ...; 0 until the memory counts."""
        if step <= self.start:
            return 0.0
        return self.weight * min(1.0, (step - self.start) / max(1, self.ramp))

    def queued(self, step: int, samples: Tensor) -> Queued | None:
        """The images that count in `step`, oldest first; None where there are none.

        Entries that show one of the batch's own `samples` (B,) are left out: an image
        is no candidate against itself.
        """
        weight = self.weight_at(step)
        slots = self.order()
        slots = slots[~torch.isin(self.samples[slots], samples)]
        if weight == 0 or len(slots) == 0:
            return None
        zeros = torch.zeros(len(slots), dtype=torch.float64, device=slots.device)
        rows = Rows(self.classes[slots], self.prompts[slots], zeros, zeros + weight)
        return Queued(self.images[slots].float(), rows)

    def queued_texts(self, step: int, samples: Tensor) -> Queued | None:
        """The kept texts of the same entries; nobody's own text, hence prompt -1."""
        images = self.queued(step, samples)
        if images is None or not self.keep_texts:
            return None
        slots = self.order()
        slots = slots[~torch.isin(self.samples[slots], samples)]
        nobody = torch.full_like(images.rows.prompts, -1)
        rows = Rows(images.rows.classes, nobody, images.rows.anchor, images.rows.weight)
        return Queued(self.texts[slots].float(), rows)

    def order(self) -> Tensor:
        """Slots in use, oldest first."""
        ages = torch.arange(int(self.filled), device=self.images.device)
        return (self.cursor - self.filled + ages) % max(1, self.capacity)

    def drift(self, fresh: Tensor) -> float:
        """Mean cosine of the oldest n entries and the same images encoded today (n, D).

        Near 1, the memory stands for what the encoder would say now; a fall is the sign
        that it is too long for this learning rate.
        """
        stored = self.images[self.order()[: len(fresh)]].float()
        return float(cosine_similarity(stored, fresh.float(), dim=1).mean())
