"""Multinomial logistic regression."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from bakeoff.errors import BakeoffError
from bakeoff.probes.inner import chosen
from bakeoff.probes.interface import Fold, Predicted, Scores, spread

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression


@dataclass(frozen=True)
class Logistic:
    """Logistic regression with a squared penalty; probabilities are its scores.

    C: inverse strength of the penalty, or `nested`: the one of `Cs` with most hits in
    an inner cross-validation of the training images. For ordinal labels `raw` is the
    mean number under the probabilities, and the label still the most probable one.
    """

    C: float | Literal["nested"] = 1.0
    Cs: Sequence[float] = (0.01, 0.1, 1.0, 10.0, 100.0)
    class_weight: Literal["balanced", "none"] = "none"
    max_iter: int = 2000
    scores: ClassVar[Scores] = "probability"

    def settled(self, fold: Fold) -> "Logistic":
        """The same probe with its C chosen inside the fold."""
        if self.C != "nested":
            return self
        return chosen([replace(self, C=c) for c in self.Cs], fold)

    def predict(self, fold: Fold) -> Predicted:
        """The most probable class."""
        from sklearn.linear_model import LogisticRegression

        if self.C == "nested":
            return self.settled(fold).predict(fold)
        weight = None if self.class_weight == "none" else self.class_weight
        model = LogisticRegression(
            C=self.C, class_weight=weight, max_iter=self.max_iter
        )
        converge(model, fold.x_train, fold.y)
        p = spread(model.predict_proba(fold.x_test), fold, 0.0)
        raw = p @ fold.problem.values if fold.problem.ordinal else None
        return Predicted(p.argmax(axis=1), raw, p)


def converge(model: "LogisticRegression", x: np.ndarray, y: np.ndarray) -> None:
    """Fit `model`, or raise BakeoffError where it stops before it has converged."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            model.fit(x, y)
        except ConvergenceWarning as error:
            raise BakeoffError(
                "logistic regression",
                f"no convergence in {model.max_iter} iterations",
                "a penalty and features that allow convergence",
                "Lower C, raise max_iter, or set `normalise` or `standardise`.",
            ) from error
