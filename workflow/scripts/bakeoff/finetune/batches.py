"""The labels of a step: which images, prompts and queued vectors its loss is about."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bakeoff.finetune.dataset import Dataset
from bakeoff.finetune.infonce import InfoNCE
from bakeoff.finetune.losses import BoundLoss, Loss
from bakeoff.finetune.memory import Memory
from bakeoff.finetune.recipe import Recipe
from bakeoff.finetune.rows import Rows, image_rows, text_rows
from bakeoff.finetune.sampler import Sampler
from bakeoff.finetune.sigmoid import Sigmoid
from bakeoff.finetune.stepping import Queued


@dataclass(frozen=True)
class Labels:
    """One step before any picture is read.

    `samples` and `epochs` (B,) name the pictures; `images` are their rows and `texts`
    those of the U prompts to be encoded.
    """

    samples: np.ndarray
    epochs: np.ndarray
    images: Rows
    texts: Rows
    queued_images: Queued | None
    queued_texts: Queued | None
    bound: BoundLoss


def loss_of(recipe: Recipe) -> Loss:
    """The recipe's loss."""
    if recipe.loss == "infonce":
        return InfoNCE(recipe.positives)
    return Sigmoid(recipe.positives, recipe.positive_weight, recipe.normalisation)


@dataclass(frozen=True)
class Batches:
    """What every step is about, a function of its number and of the memory.

    `hard` (K, n) are prompts that stand against each class, or None.
    """

    data: Dataset
    sampler: Sampler
    loss: Loss
    hard: Tensor | None
    device: str

    def labels(self, step: int, memory: Memory | None) -> Labels:
        """Labels of step 1, 2, ..."""
        samples, epochs = self.sampler.images(step)
        classes = self.data.labels[samples]
        prompts = self.data.bank.draw(classes, self.sampler.seed, epochs, samples)
        images = image_rows(self._tensor(classes), self._tensor(prompts))
        queued = kept = None
        if memory is not None:
            queued = memory.queued(step, self._tensor(samples))
            kept = memory.queued_texts(step, self._tensor(samples))
        again = queued.rows if queued is not None and kept is None else None
        texts = self._texts(images, again)
        bound = self.loss.bind(_with(images, queued), _with(texts, kept))
        return Labels(samples, epochs, images, texts, queued, kept, bound)

    def _texts(self, images: Rows, queued: Rows | None) -> Rows:
        """The batch's prompts, hard negatives, and the queued prompts encoded again."""
        others, weights = [], []
        if self.hard is not None:
            others.append(self.hard[images.classes.unique()].flatten())
            weights.append(torch.ones(len(others[0]), device=others[0].device))
        if queued is not None:
            others.append(queued.prompts)
            weights.append(queued.weight)
        bank = self._tensor(self.data.bank.classes)
        if not others:
            return text_rows(images.prompts, bank)
        joined = torch.cat([weight.double() for weight in weights])
        return text_rows(images.prompts, bank, torch.cat(others), joined)

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.as_tensor(values, device=self.device)


def _with(rows: Rows, queued: Queued | None) -> Rows:
    return rows if queued is None else rows.joined(queued.rows)
