"""Accuracy on training images that were held out: what recipes may choose by."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from bakeoff.finetune.dataset import Dataset
from bakeoff.finetune.pictures import Pictures


class Judge:
    """Zero-shot accuracy of a model on some images by a bank of prompts."""

    def __init__(
        self, data: Dataset, pictures: Pictures, tokens: Tensor, micro_batch: int
    ) -> None:
        self.labels, self.pictures, self.tokens = data.labels, pictures, tokens
        self.prompt_classes = torch.as_tensor(data.bank.classes)
        self.n_classes, self.micro_batch = len(data.classes), micro_batch

    @torch.no_grad()
    def accuracy(self, model: Any) -> float:
        """Mean over the classes of the share of images given the right class."""
        was_training = model.training
        model.eval()
        classes = self._class_vectors(model)
        hits = np.concatenate(
            [
                self._predicted(model, part, classes) == self.labels[part]
                for part in self._parts()
            ]
        )
        model.train(was_training)
        present = np.unique(self.labels)
        return float(np.mean([hits[self.labels == c].mean() for c in present]))

    def _class_vectors(self, model: Any) -> Tensor:
        """Normalised mean of each class's normalised prompts, (K, D)."""
        parts = self.tokens.split(4 * self.micro_batch)
        texts = torch.cat(
            [normalize(model.encode_text(p).float(), dim=1) for p in parts]
        )
        sums = texts.new_zeros(self.n_classes, texts.shape[1])
        sums.index_add_(0, self.prompt_classes.to(texts.device), texts)
        return normalize(sums, dim=1)

    def _predicted(self, model: Any, part: np.ndarray, classes: Tensor) -> np.ndarray:
        vectors = model.encode_image(self.pictures.plain(part)).float()
        return (vectors @ classes.T).argmax(dim=1).cpu().numpy()

    def _parts(self) -> list[np.ndarray]:
        rows = np.arange(len(self.labels))
        return np.split(rows, range(self.micro_batch, len(rows), self.micro_batch))


def interpolated(
    old: Mapping[str, Tensor], new: Mapping[str, Tensor], share: float
) -> dict[str, Tensor]:
    """Weights between two models, (1 - share) old + share new (WiSE-FT).

    Wortsman et al. 2022, equation 1. Integer buffers are those of `new`.
    """
    return {
        name: torch.lerp(old[name], value, share)
        if value.is_floating_point()
        else value
        for name, value in new.items()
    }


def best_share(
    model: Any, judge: Judge, old: Mapping[str, Tensor], new: Mapping[str, Tensor]
) -> float:
    """The share of 0, 0.1, ..., 1 with the highest accuracy; of equals, the least."""
    shares = [round(0.1 * tenth, 1) for tenth in range(11)]
    scores = []
    for share in shares:
        model.load_state_dict(interpolated(old, new, share))
        scores.append(judge.accuracy(model))
    return shares[int(np.argmax(scores))]
