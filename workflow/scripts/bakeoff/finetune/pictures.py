"""Training images as tensors, decoded by threads ahead of their use."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bakeoff.finetune.augment import Augmentation
from bakeoff.finetune.views import view


class Pictures:
    """The training set: files, one augmentation each, and the model's preprocessing.

    `read` makes of each of `files`, whatever they are, an RGB picture; `preprocess`
    turns one into (3, H, W).
    """

    def __init__(
        self,
        files: Sequence[Any],
        augmentations: Sequence[Augmentation],
        read: Callable[[Any], Image.Image],
        preprocess: Callable[[Image.Image], Tensor],
        *,
        seed: int,
        threads: int,
        device: str,
    ) -> None:
        self.files, self.augmentations = files, augmentations
        self.read, self.preprocess = read, preprocess
        self.seed, self.device = seed, device
        self.pool = ThreadPoolExecutor(max(1, threads))

    def seen(self, indices: np.ndarray, epochs: np.ndarray) -> Tensor:
        """Images as they are seen in these epochs, (n, 3, H, W)."""
        return self._stack(list(self.pool.map(self._one, indices, epochs)))

    def plain(self, indices: np.ndarray) -> Tensor:
        """Images as they are, (n, 3, H, W)."""
        files = [self.files[index] for index in indices]
        images = self.pool.map(lambda file: self.preprocess(self.read(file)), files)
        return self._stack(list(images))

    def batch(
        self, indices: np.ndarray, epochs: np.ndarray
    ) -> Callable[[slice], Tensor]:
        """The pictures of one step by their place in it, the next ones read ahead."""
        return _ReadAhead(self, indices, epochs)

    def close(self) -> None:
        """End the threads."""
        self.pool.shutdown(cancel_futures=True)

    def _one(self, index: int, epoch: int) -> Tensor:
        image = self.read(self.files[index])
        change = self.augmentations[index]
        return self.preprocess(view(image, change, self.seed, int(epoch), int(index)))

    def _stack(self, images: list[Tensor]) -> Tensor:
        return torch.stack(images).to(self.device, non_blocking=True)


class _ReadAhead:
    """Calls `pixels(part)`; parts are asked for in order, or in the order reversed."""

    def __init__(
        self, pictures: Pictures, indices: np.ndarray, epochs: np.ndarray
    ) -> None:
        self.pictures, self.indices, self.epochs = pictures, indices, epochs
        self.ahead: dict[tuple[int, int], list[Future[Tensor]]] = {}
        self.last = -1

    def __call__(self, part: slice) -> Tensor:
        reading = self.ahead.pop((part.start, part.stop), None) or self._submit(part)
        self._guess_next(part)
        return self.pictures._stack([one.result() for one in reading])

    def _guess_next(self, part: slice) -> None:
        size = part.stop - part.start
        start = part.stop if part.start > self.last else part.start - size
        self.last = part.start
        following = slice(start, min(start + size, len(self.indices)))
        if 0 <= start < len(self.indices):
            self.ahead = {(start, following.stop): self._submit(following)}

    def _submit(self, part: slice) -> list[Future[Tensor]]:
        pairs = zip(self.indices[part], self.epochs[part], strict=True)
        return [self.pictures.pool.submit(self.pictures._one, *pair) for pair in pairs]
