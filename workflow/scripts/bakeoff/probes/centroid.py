"""Nearest class mean."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bakeoff.probes.interface import Fold, Predicted, Scores, spread


@dataclass(frozen=True)
class Centroid:
    """The class whose mean training vector is nearest (Euclidean distance).

    Scores are minus the squared distances. Equal to scikit-learn's NearestCentroid.
    """

    scores: ClassVar[Scores] = "similarity"

    def predict(self, fold: Fold) -> Predicted:
        """The nearest mean; of equally near ones the first class."""
        x, y = fold.x_train, fold.y
        means = np.stack([x[y == c].mean(axis=0) for c in fold.present])
        # |x - m|^2 = |x|^2 - 2 x'm + |m|^2
        inner = fold.x_test @ means.T
        squares = (fold.x_test**2).sum(axis=1)[:, None]
        scores = 2 * inner - (means**2).sum(axis=1) - squares
        return Predicted(
            fold.present[scores.argmax(axis=1)], scores=spread(scores, fold, -np.inf)
        )
