"""k nearest neighbours."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bakeoff.probes.interface import Fold, Predicted, Scores


@dataclass(frozen=True)
class Neighbours:
    """Vote of the k nearest training images (Euclidean distance).

    A vote weighs exp(-distance^2 / (2 temperature)); for vectors of length 1 that is
    exp(cosine / temperature) up to a factor, the vote of Wu et al. 2018 and of DINO.
    temperature None: all votes are equal. With fewer than k training images all of them
    vote. For ordinal labels `raw` is the weighted mean of the neighbours' numbers, and
    the label still the one with most votes.
    """

    k: int = 20
    temperature: float | None = 0.07
    scores: ClassVar[Scores] = "probability"

    def predict(self, fold: Fold) -> Predicted:
        """Shares of the votes; of equal shares the first class."""
        distance = _squared_distances(fold.x_test, fold.x_train)
        k = min(self.k, distance.shape[1])
        nearest = np.argsort(distance, axis=1, kind="stable")[:, :k]
        votes = self._votes(np.take_along_axis(distance, nearest, axis=1))
        shares = np.zeros((len(distance), len(fold.problem.classes)))
        for j in range(k):
            np.add.at(
                shares, (np.arange(len(shares)), fold.y[nearest[:, j]]), votes[:, j]
            )
        raw = shares @ fold.problem.values if fold.problem.ordinal else None
        return Predicted(shares.argmax(axis=1), raw, shares)

    def _votes(self, distance: np.ndarray) -> np.ndarray:
        """(n_test, k) weights that sum to 1."""
        if self.temperature is None:
            return np.full(distance.shape, 1 / distance.shape[1])
        # Shifting by the nearest keeps the exponentials from all vanishing.
        relative = distance - distance[:, :1]
        weights = np.exp(-relative / (2 * self.temperature))
        return weights / weights.sum(axis=1, keepdims=True)


def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)
    return np.maximum(squares - 2 * a @ b.T, 0.0)
