"""CORN: ordinal regression by conditional logistic regressions.

For classes 0..K-1 in order, K - 1 binary regressions, each on the training images that
reached its rank, give P(y > k | y >= k); their running product is P(y > k), which can
only fall with k (Shi, Cao and Raschka 2023, with a linear layer for the network).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bakeoff.errors import BakeoffError
from bakeoff.probes.interface import Fold, Predicted, Scores
from bakeoff.probes.logistic import converge


@dataclass(frozen=True)
class Corn:
    """Conditional ordinal regression; C is the inverse strength of each penalty.

    The label is the first k with P(y > k) <= 1/2, the median of the predicted
    distribution, as in the source; it need not be the most probable class. `raw` is the
    mean number. Raises BakeoffError for nominal labels.
    """

    C: float = 1.0
    max_iter: int = 2000
    scores: ClassVar[Scores] = "probability"

    def predict(self, fold: Fold) -> Predicted:
        """The median label under the predicted probabilities."""
        if not fold.problem.ordinal:
            raise BakeoffError(
                "probe corn",
                "labels without an order",
                "an ordinal study",
                "Choose another probe, or set `labels: ordinal`.",
            )
        ranks = range(len(fold.problem.classes) - 1)
        above = np.cumprod([self._passes(fold, k) for k in ranks], axis=0).T
        # P(y = k) = P(y > k - 1) - P(y > k), from P(y > -1) = 1 to P(y > K - 1) = 0.
        p = -np.diff(above, axis=1, prepend=1.0, append=0.0)
        return Predicted((above > 0.5).sum(axis=1), p @ fold.problem.values, p)

    def _passes(self, fold: Fold, k: int) -> np.ndarray:
        """(n_test,) P(y > k | y >= k); its frequency where all or none pass."""
        from sklearn.linear_model import LogisticRegression

        reached = fold.y >= k
        passed = fold.y[reached] > k
        if len(np.unique(passed)) < 2:
            return np.full(len(fold.test), float(passed.any()))
        model = LogisticRegression(C=self.C, max_iter=self.max_iter)
        converge(model, fold.x_train[reached], passed)
        return model.predict_proba(fold.x_test)[:, 1]
