"""Encoders made of others: several resolutions or models combined, images in tiles.

Each image is decoded once, whatever the number of parts.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor
from torch.nn.functional import normalize

from bakeoff.encoders.folder import WeightsFolder
from bakeoff.encoders.interface import Encoder
from bakeoff.encoders.towers import no_texts


class Derived(Encoder):
    """What all derived encoders take from their parts."""

    loader = "derived"

    def __init__(
        self, weights: WeightsFolder, parts: Sequence[Encoder], precision: str
    ) -> None:
        self.id = weights.id
        self.parts = tuple(parts)
        self.device = parts[0].device
        self.dimension = int(weights.note["dimension"])
        self.resolution = max(part.resolution for part in parts)
        self.has_text = all(part.has_text for part in parts)
        self.logit_scale = _mean([part.logit_scale for part in parts])
        self.logit_bias = _mean([part.logit_bias for part in parts])
        self.parameters = sum(part.parameters for part in parts)
        self.parameters_image = sum(part.parameters_image for part in parts)
        self.key = weights.key(precision=precision)

    def tokenize(self, texts: Sequence[str]) -> Tensor:
        """The first part's ids; the other parts use their own."""
        return self.parts[0].tokenize(texts)


class Combined(Derived):
    """Unit vectors of all parts, side by side (`concatenate`) or averaged (`average`).

    Parts are normalised first, or the longest vectors would outweigh the rest; divided
    by the root of their number, side by side, they are a unit vector again, and a
    cosine is the mean of the parts' cosines. Scale and bias are the parts' mean.
    """

    def __init__(
        self,
        weights: WeightsFolder,
        parts: Sequence[Encoder],
        precision: str,
        kind: str,
    ) -> None:
        super().__init__(weights, parts, precision)
        self._concatenates = kind == "concatenate"

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

    def encode_images(self, batch: Any) -> Tensor:
        """(n, d) float32 vectors, of about unit length."""
        return self._joined(
            part.encode_images(own) for part, own in zip(self.parts, batch, strict=True)
        )

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """(n, d) float32 vectors, of about unit length."""
        if not self.has_text:
            raise no_texts(self.id)
        return self._joined(part.encode_texts(texts) for part in self.parts)

    def _joined(self, vectors: Any) -> Tensor:
        units = [normalize(vector, dim=-1) for vector in vectors]
        if self._concatenates:
            return torch.cat(units, dim=-1) / math.sqrt(len(units))
        return torch.stack(units).mean(dim=0)


class Tiled(Derived):
    """The mean vector of the k x k tiles of an image: details at a higher resolution.

    Each tile goes through the part's own preprocessing, as an image of its own.
    Source: Shi et al. 2024 (S2), with vectors instead of feature maps.
    """

    def __init__(
        self,
        weights: WeightsFolder,
        parts: Sequence[Encoder],
        precision: str,
        tiles: int,
    ) -> None:
        super().__init__(weights, parts, precision)
        self._tiles = tiles

    def preprocess(self, image: Image) -> Tensor:
        """(k * k, ...) inputs of the part, row by row."""
        part = self.parts[0]
        return part.collate(
            [part.preprocess(image.crop(box)) for box in boxes(image.size, self._tiles)]
        )

    def encode_images(self, batch: Tensor) -> Tensor:
        """(n, d) float32 vectors, not normalised."""
        vectors = self.parts[0].encode_images(batch.flatten(0, 1))
        return vectors.unflatten(0, (len(batch), -1)).mean(dim=1)

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

    kind = weights.note["kind"]
    parts = [
        load_encoder(
            folder,
            resolution=part_resolution or resolution,
            device=device,
            precision=precision,
        )
        for folder, part_resolution in weights.parts
    ]
    if kind == "tiles":
        return Tiled(weights, parts, precision, int(weights.note["tiles"]))
    return Combined(weights, parts, precision, kind)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None
