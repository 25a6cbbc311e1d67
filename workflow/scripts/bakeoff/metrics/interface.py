"""What a metric is: predictions as arrays, and three ways to make a number of them.

A metric is a function of the mean of per-image terms (accuracy, RMSE, NLL), a function
of a confusion matrix (macro recall, kappa), or a function of all predictions together
(AUROC, calibration). The first two are written for whole stacks, so that 10,000
bootstrap resamples are one call.

Symbols: n images, K classes, R resamples; C is a confusion matrix (..., K, K) with true
classes in rows; v are the K label values (ordinal) or 0..K-1.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

Better = Literal["higher", "lower", "zero"]
Needs = Literal["labels", "scores", "probabilities"]


@dataclass(frozen=True)
class Outcomes:
    """Predictions of one encoder, method and protocol as arrays, image by image.

    y_true, y_pred: (n,) int, class indices; values: (K,) float, the classes' numbers;
    raw: (n,) float, ordinal prediction before rounding, or None; scores: (n, K) float,
    or None; classes: K names in the order of the indices; ordinal: whether the values
    mean something; kind: what the scores are.
    """

    y_true: np.ndarray
    y_pred: np.ndarray
    classes: tuple[str, ...]
    values: np.ndarray
    raw: np.ndarray | None = None
    scores: np.ndarray | None = None
    ordinal: bool = False
    kind: Literal["probability", "logit", "similarity", "decision"] | None = None

    @property
    def n_classes(self) -> int:
        """Number of classes, those that no image bears included."""
        return len(self.classes)

    @property
    def from_regression(self) -> bool:
        """Whether the classes are predicted numbers that were rounded."""
        return self.ordinal and self.raw is not None and self.kind is None

    @property
    def has_probabilities(self) -> bool:
        """Whether the scores are probabilities or become some."""
        return self.scores is not None and self.kind in ("probability", "logit")

    @property
    def probabilities(self) -> np.ndarray | None:
        """(n, K) probabilities that sum to 1: as given, or the softmax of logits.

        None for similarities and decision values: their softmax would be arbitrary.
        """
        if self.scores is None or not self.has_probabilities:
            return None
        if self.kind == "probability":
            return self.scores / self.scores.sum(axis=1, keepdims=True)
        shifted = np.exp(self.scores - self.scores.max(axis=1, keepdims=True))
        return shifted / shifted.sum(axis=1, keepdims=True)

    def take(self, rows: np.ndarray) -> "Outcomes":
        """The outcomes of some images, perhaps repeated."""
        return replace(
            self,
            y_true=self.y_true[rows],
            y_pred=self.y_pred[rows],
            raw=None if self.raw is None else self.raw[rows],
            scores=None if self.scores is None else self.scores[rows],
        )


def confusion(outcomes: Outcomes) -> np.ndarray:
    """(K, K) counts: rows are true classes, columns predicted ones."""
    k = outcomes.n_classes
    cell = outcomes.y_true * k + outcomes.y_pred
    return np.bincount(cell, minlength=k * k).reshape(k, k).astype(float)


@dataclass(frozen=True)
class _Description:
    """A metric's name, its label in figures, which way is better, and what it needs.

    share: a count over a count; ordinal: needs label values; needs: what of the scores;
    bounds: lowest and highest possible value; more_classes_than: a top-k accuracy of k
    classes says nothing; smooth: made of what a method predicts before it is rounded to
    classes, so that every training image moves it a little.
    """

    name: str
    label: str
    better: Better
    share: bool = field(default=False, kw_only=True)
    ordinal: bool = field(default=False, kw_only=True)
    needs: Needs = field(default="labels", kw_only=True)
    bounds: tuple[float, float] = field(default=(0.0, np.inf), kw_only=True)
    more_classes_than: int = field(default=0, kw_only=True)
    smooth: bool = field(default=False, kw_only=True)

    def applies(self, outcomes: Outcomes) -> bool:
        """Whether the predictions hold what the metric needs."""
        given = {
            "labels": True,
            "scores": outcomes.scores is not None,
            "probabilities": outcomes.has_probabilities,
        }
        return (
            given[self.needs]
            and (outcomes.ordinal or not self.ordinal)
            and outcomes.n_classes > self.more_classes_than
        )


@dataclass(frozen=True)
class MeanMetric(_Description):
    """finish(mean over images of terms(outcomes)); terms: (n,) float."""

    terms: Callable[[Outcomes], np.ndarray]
    finish: Callable[[np.ndarray], np.ndarray] = lambda mean: mean

    def value(self, outcomes: Outcomes) -> float:
        """The metric of all images together; NaN where there are none."""
        terms = self.terms(outcomes)
        return float(self.finish(np.mean(terms))) if len(terms) else float("nan")

    def resampled(self, outcomes: Outcomes, weights: np.ndarray) -> np.ndarray:
        """(R,) values, where weights (R, n) counts each image's draws."""
        return self.finish(weights @ self.terms(outcomes) / weights.sum(axis=1))


@dataclass(frozen=True)
class ConfusionMetric(_Description):
    """compute(C, values) of the confusion matrix C (..., K, K) -> (...)."""

    compute: Callable[[np.ndarray, np.ndarray], np.ndarray]

    def value(self, outcomes: Outcomes) -> float:
        """The metric of all images together."""
        return float(self.compute(confusion(outcomes), outcomes.values))

    def resampled(self, outcomes: Outcomes, weights: np.ndarray) -> np.ndarray:
        """(R,) values, where weights (R, n) counts each image's draws."""
        k = outcomes.n_classes
        cell = outcomes.y_true * k + outcomes.y_pred
        onehot = np.zeros((len(cell), k * k), dtype=weights.dtype)
        onehot[np.arange(len(cell)), cell] = 1
        return self.compute((weights @ onehot).reshape(-1, k, k), outcomes.values)


@dataclass(frozen=True)
class OrderMetric(_Description):
    """compute(outcomes), where no mean and no confusion matrix says it all.

    Resampling computes it anew each time: seconds, not milliseconds.
    """

    compute: Callable[[Outcomes], float]

    def value(self, outcomes: Outcomes) -> float:
        """The metric of all images together; NaN where it is not defined."""
        return self.compute(outcomes) if len(outcomes.y_true) else float("nan")

    def resampled(self, outcomes: Outcomes, weights: np.ndarray) -> np.ndarray:
        """(R,) values, where weights (R, n) counts each image's draws (integers)."""
        images = np.arange(len(outcomes.y_true))
        draws = (np.repeat(images, w.astype(int)) for w in weights)
        return np.array([self.value(outcomes.take(rows)) for rows in draws])


Terms = Callable[[Outcomes], np.ndarray]
OnOutcomes = Callable[[Outcomes], float]
Metric = MeanMetric | ConfusionMetric | OrderMetric
