"""Every metric by name: what it needs, which way is better, how to compute it.

A metric is either a function of the mean of per-image terms (accuracy, RMSE, NLL) or a
function of a confusion matrix (macro recall, kappa). Both are written for whole stacks,
so that 10,000 bootstrap resamples are one call.

Symbols: n images, K classes, R resamples; C is a confusion matrix (..., K, K) with true
classes in rows; v are the K label values (ordinal) or 0..K-1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

Better = Literal["higher", "lower", "zero"]


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


@dataclass(frozen=True)
class MeanMetric:
    """finish(mean over images of terms(outcomes)); terms: (n,) float."""

    name: str
    label: str
    better: Better
    terms: Callable[[Outcomes], np.ndarray]
    finish: Callable[[np.ndarray], np.ndarray] = lambda mean: mean
    share: bool = False
    ordinal: bool = False
    bounds: tuple[float, float] = (-np.inf, np.inf)

    def applies(self, outcomes: Outcomes) -> bool:
        """Whether the predictions hold what the metric needs."""
        return outcomes.ordinal or not self.ordinal

    def value(self, outcomes: Outcomes) -> float:
        """The metric of all images together; NaN where there are none."""
        terms = self.terms(outcomes)
        return float(self.finish(np.mean(terms))) if len(terms) else float("nan")

    def resampled(self, outcomes: Outcomes, weights: np.ndarray) -> np.ndarray:
        """(R,) values, where weights (R, n) counts each image's draws."""
        return self.finish(weights @ self.terms(outcomes) / weights.sum(axis=1))


@dataclass(frozen=True)
class ConfusionMetric:
    """compute(C, values) of the confusion matrix C (..., K, K) -> (...)."""

    name: str
    label: str
    better: Better
    compute: Callable[[np.ndarray, np.ndarray], np.ndarray]
    share: bool = False
    ordinal: bool = False
    bounds: tuple[float, float] = (-np.inf, np.inf)

    def applies(self, outcomes: Outcomes) -> bool:
        """Whether the predictions hold what the metric needs."""
        return outcomes.ordinal or not self.ordinal

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


Metric = MeanMetric | ConfusionMetric


def confusion(outcomes: Outcomes) -> np.ndarray:
    """(K, K) counts: rows are true classes, columns predicted ones."""
    k = outcomes.n_classes
    cell = outcomes.y_true * k + outcomes.y_pred
    return np.bincount(cell, minlength=k * k).reshape(k, k).astype(float)


def _per_class(
    numerator: np.ndarray, denominator: np.ndarray, undefined: float
) -> np.ndarray:
    return np.divide(
        numerator,
        denominator,
        out=np.full_like(numerator, undefined, dtype=float),
        where=denominator > 0,
    )


def _diagonal(c: np.ndarray) -> np.ndarray:
    return np.diagonal(c, axis1=-2, axis2=-1)


def recalls(c: np.ndarray) -> np.ndarray:
    """(..., K) recall per class; NaN for a class without images."""
    return _per_class(_diagonal(c), c.sum(axis=-1), np.nan)


def precisions(c: np.ndarray) -> np.ndarray:
    """(..., K) precision per class; 0 for a class never predicted."""
    return _per_class(_diagonal(c), c.sum(axis=-2), 0.0)


def f1s(c: np.ndarray) -> np.ndarray:
    """(..., K) F1 per class; NaN for a class neither borne nor predicted."""
    return _per_class(2 * _diagonal(c), c.sum(axis=-1) + c.sum(axis=-2), np.nan)


def _macro(per_class: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Mean over the classes that bear images: the same classes for every model."""
    present = c.sum(axis=-1) > 0
    total = np.where(present, np.nan_to_num(per_class), 0.0).sum(axis=-1)
    return total / present.sum(axis=-1)


def quadratic_kappa(c: np.ndarray, values: np.ndarray) -> np.ndarray:
    """1 - sum wO / sum wE with w = squared distance of label values.

    Weights go by label value, so a missing age does not shrink the distance between its
    neighbours. NaN where all images and predictions are of one class.
    """
    w = (values[:, None] - values[None, :]) ** 2
    n = c.sum(axis=(-2, -1))
    expected = c.sum(axis=-1)[..., :, None] * c.sum(axis=-2)[..., None, :]
    chance = (w * expected).sum(axis=(-2, -1))
    observed = (w * c).sum(axis=(-2, -1)) * n
    return 1 - _per_class(np.asarray(observed), np.asarray(chance), np.nan)


def _error(outcomes: Outcomes) -> np.ndarray:
    """Predicted minus true label value, after rounding, in label units."""
    return outcomes.values[outcomes.y_pred] - outcomes.values[outcomes.y_true]


def _raw_error(outcomes: Outcomes) -> np.ndarray:
    """Predicted minus true, before rounding; rounded where a method has no raw."""
    if outcomes.raw is None:
        return _error(outcomes)
    return outcomes.raw - outcomes.values[outcomes.y_true]


_DEFINITIONS: tuple[Metric, ...] = (
    MeanMetric(
        "accuracy",
        "Accuracy",
        "higher",
        lambda o: (o.y_true == o.y_pred).astype(float),
        share=True,
    ),
    ConfusionMetric(
        "macro_recall", "Macro recall", "higher", lambda c, v: _macro(recalls(c), c)
    ),
    ConfusionMetric(
        "macro_precision",
        "Macro precision",
        "higher",
        lambda c, v: _macro(precisions(c), c),
    ),
    ConfusionMetric("macro_f1", "Macro F1", "higher", lambda c, v: _macro(f1s(c), c)),
    MeanMetric(
        "within_1",
        "Accuracy within 1",
        "higher",
        lambda o: (np.abs(_error(o)) <= 1).astype(float),
        share=True,
        ordinal=True,
    ),
    MeanMetric(
        "rmse", "RMSE", "lower", lambda o: _raw_error(o) ** 2, np.sqrt, ordinal=True
    ),
    MeanMetric(
        "rmse_rounded",
        "RMSE, rounded",
        "lower",
        lambda o: _error(o) ** 2,
        np.sqrt,
        ordinal=True,
    ),
    MeanMetric(
        "mae", "Mean absolute error", "lower", lambda o: np.abs(_error(o)), ordinal=True
    ),
    MeanMetric("bias", "Bias", "zero", _error, ordinal=True),
    ConfusionMetric(
        "qwk", "Quadratic weighted kappa", "higher", quadratic_kappa, ordinal=True
    ),
)

# What is told of each class: functions of C (..., K, K) -> (..., K). All are shares.
PER_CLASS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "recall": recalls,
    "precision": precisions,
    "f1": f1s,
}

METRICS: dict[str, Metric] = {metric.name: metric for metric in _DEFINITIONS}
