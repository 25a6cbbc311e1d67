"""Support vector machines, one against one, on a kernel shared by all folds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from bakeoff.probes.inner import chosen
from bakeoff.probes.interface import Fold, Predicted, Scores, spread

# Above this many images the kernel matrix would not fit a laptop's memory (1.2 GB), and
# libsvm computes its entries as it needs them.
MOST_PRECOMPUTED = 12_000


@dataclass(frozen=True)
class SupportVectors:
    """Support vector classifier; ordinal labels are taken as classes.

    C: inverse strength of the penalty, or `nested`: the one of `Cs` with most hits in
    an inner cross-validation of the training images; class_weight `balanced`: errors
    weigh by the inverse frequency of their class; gamma `scale`: 1 / (d var of the
    training features), as in scikit-learn. Scores are scikit-learn's one-against-rest
    decision values, whose largest breaks the ties of the vote that the prediction rests
    on.
    """

    C: float | Literal["nested"] = 0.1
    Cs: Sequence[float] = (0.1, 1.0, 10.0, 100.0)
    kernel: Literal["linear", "rbf"] = "linear"
    class_weight: Literal["balanced", "none"] = "balanced"
    gamma: float | Literal["scale"] = "scale"
    scores: ClassVar[Scores] = "decision"

    def settled(self, fold: Fold) -> "SupportVectors":
        """The same probe with its C chosen inside the fold."""
        if self.C != "nested":
            return self
        return chosen([replace(self, C=c) for c in self.Cs], fold)

    def predict(self, fold: Fold) -> Predicted:
        """Votes of all pairs of classes."""
        from sklearn.svm import SVC

        if self.C == "nested":
            return self.settled(fold).predict(fold)
        shared = len(fold.features) <= MOST_PRECOMPUTED
        machine = SVC(
            C=self.C,
            kernel="precomputed" if shared else self.kernel,
            gamma=self.gamma,
            class_weight=None if self.class_weight == "none" else self.class_weight,
        )
        train, test = self._kernels(fold) if shared else (fold.x_train, fold.x_test)
        machine.fit(train, fold.y)
        scores = machine.decision_function(test)
        if scores.ndim == 1:  # Two classes: one value, of the second.
            scores = np.stack([-scores, scores], axis=1)
        return Predicted(machine.predict(test), scores=spread(scores, fold, -np.inf))

    def _kernels(self, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
        """(n_train, n_train) and (n_test, n_train) kernel values."""
        train = fold.features.products(fold.train, fold.train)
        test = fold.features.products(fold.test, fold.train)
        if self.kernel == "linear":
            return train, test
        squares = fold.features.squares
        own = squares[fold.train]
        gamma = _scale(fold) if self.gamma == "scale" else self.gamma
        return (
            np.exp(-gamma * (own[:, None] + own - 2 * train)),
            np.exp(-gamma * (squares[fold.test][:, None] + own - 2 * test)),
        )


def _scale(fold: Fold) -> float:
    variance = fold.x_train.var()
    return 1.0 / (fold.features.x.shape[1] * variance) if variance > 0 else 1.0
