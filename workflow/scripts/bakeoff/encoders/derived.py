"""Encoders made of others: several resolutions or models combined, images in tiles.

Each image is decoded once, whatever the number of parts.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor

from bakeoff.encoders.compose import combined, compose
from bakeoff.encoders.folder import WeightsFolder
from bakeoff.encoders.interface import Encoder
from bakeoff.encoders.together import Together
from bakeoff.encoders.towers import no_texts


class Derived(Encoder):
    """What all derived encoders take from their parts."""

    loader = "derived"

    def __init__(
        self, weights: WeightsFolder, parts: Sequence[Encoder], precision: str
    ) -> None:
        self.kind = str(weights.note["kind"])
        self.id = weights.id
        self.parts = tuple(parts)
        self.device = parts[0].device
        whole = combined(self.kind, [part.facts() for part in parts])
        self.dimension = whole["dimension"]
        self.resolution = whole["resolution"]
        self.has_text = whole["has_text"]
        self.logit_scale = whole["logit_scale"]
        self.logit_bias = whole["logit_bias"]
        self.parameters = sum(part.parameters for part in parts)
        self.parameters_image = sum(part.parameters_image for part in parts)
        self.key = weights.key(precision=precision)

    def tokenize(self, texts: Sequence[str]) -> Tensor:
        """The first part's ids; the other parts use their own."""
        return self.parts[0].tokenize(texts)


class Combined(Together, Derived):
    """Vectors of all parts, composed (`compose`)."""

    def __init__(
        self, weights: WeightsFolder, parts: Sequence[Encoder], precision: str
    ) -> None:
        Derived.__init__(self, weights, parts, precision)

    def encode_images(self, batch: Any) -> Tensor:
        """(n, d) float32 vectors, of about unit length."""
        return self._composed(self.each(batch))

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """(n, d) float32 vectors, of about unit length."""
        if not self.has_text:
            raise no_texts(self.id)
        return self._composed([part.encode_texts(texts) for part in self.parts])

    def _composed(self, vectors: Sequence[Tensor]) -> Tensor:
        arrays = [vector.cpu().numpy() for vector in vectors]
        return torch.from_numpy(compose(self.kind, arrays))


class Tiled(Derived):
    """The mean vector of the k x k tiles of an image: details at a higher resolution.

    Each tile goes through the part's own preprocessing, as an image of its own.
    Source: Shi et al. 2024 (S2), with vectors instead of feature maps.
    """

    def __init__(
        self, weights: WeightsFolder, parts: Sequence[Encoder], precision: str
    ) -> None:
        super().__init__(weights, parts, precision)
        self._tiles = int(weights.note["tiles"])

    def preprocess(self, image: Image) -> list[Any]:
        """The part's inputs, one per tile, row by row."""
        part = self.parts[0]
        tiles = boxes(image.size, self._tiles)
        return [part.preprocess(image.crop(box)) for box in tiles]

    def collate(self, inputs: Sequence[Any]) -> Any:
        """The part's batch of all tiles of all images."""
        return self.parts[0].collate([tile for tiles in inputs for tile in tiles])

    def encode_images(self, batch: Any) -> Tensor:
        """(n, d) float32 vectors, not normalised."""
        vectors = self.parts[0].encode_images(batch)
        return vectors.unflatten(0, (-1, self._tiles**2)).mean(dim=1)

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """(n, d) float32 vectors, not normalised."""
        return self.parts[0].encode_texts(texts)


def boxes(size: tuple[int, int], k: int) -> list[tuple[int, int, int, int]]:
    """The k x k boxes (left, top, right, bottom) that divide an image, row by row.

    Every pixel is in exactly one, unless a side is shorter than k pixels: then boxes
    overlap, so that none is empty.
    """
    columns, rows = (_cuts(side, k) for side in size)
    return [(x0, y0, x1, y1) for y0, y1 in rows for x0, x1 in columns]


def _cuts(side: int, k: int) -> list[tuple[int, int]]:
    edges = [round(i * side / k) for i in range(k + 1)]
    return [
        (min(a, side - 1), max(b, min(a, side - 1) + 1)) for a, b in pairwise(edges)
    ]


def load(
    weights: WeightsFolder, resolution: int | None, device: str, precision: str
) -> Derived:
    """The derived encoder that the folder describes, its parts loaded."""
    from bakeoff.encoders import load_encoder

    parts = [
        load_encoder(
            folder,
            resolution=part_resolution or resolution,
            device=device,
            precision=precision,
        )
        for folder, part_resolution in weights.parts
    ]
    if weights.note["kind"] == "tiles":
        return Tiled(weights, parts, precision)
    return Combined(weights, parts, precision)
