"""Several encoders that look at the same pictures, each of them decoded once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL.Image import Image

from bakeoff.encoders.interface import Encoder

if TYPE_CHECKING:
    from torch import Tensor


class Together:
    """Takes pictures as one encoder does; the vectors of all parts lie side by side."""

    def __init__(self, parts: Sequence[Encoder]) -> None:
        self.parts = tuple(parts)
        self.id = " and ".join(part.id for part in parts)
        self.device = parts[0].device

    def preprocess(self, image: Image) -> Any:
        """What each part makes of the image."""
        return [part.preprocess(image) for part in self.parts]

    def collate(self, inputs: Sequence[Any]) -> Any:
        """One batch per part."""
        columns = zip(*inputs, strict=True)
        return [
            part.collate(column)
            for part, column in zip(self.parts, columns, strict=True)
        ]

    def each(self, batch: Any) -> "list[Tensor]":
        """(n, d_i) float32 vectors of every part."""
        pairs = zip(self.parts, batch, strict=True)
        return [part.encode_images(own) for part, own in pairs]

    def encode_images(self, batch: Any) -> "Tensor":
        """(n, sum of d_i) float32 vectors, as the parts give them."""
        import torch

        return torch.cat(self.each(batch), dim=1)

    def divided(self, vectors: np.ndarray) -> list[np.ndarray]:
        """The (n, d_i) vectors of every part, of those side by side."""
        ends = np.cumsum([part.dimension for part in self.parts])
        return np.split(vectors, ends[:-1], axis=1)
