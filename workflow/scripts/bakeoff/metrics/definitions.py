"""Every metric by name: what it needs, which way is better, how to compute it.

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

from bakeoff.metrics import probabilistic as prob
from bakeoff.metrics import ranking

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
    def probabilities(self) -> np.ndarray | None:
        """(n, K) probabilities that sum to 1: as given, or the softmax of logits.

        None for similarities and decision values: their softmax would be arbitrary.
        """
        if self.scores is None or self.kind not in ("probability", "logit"):
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


@dataclass(frozen=True)
class _Description:
    """A metric's name, its label in figures, which way is better, and what it needs.

    share: a count over a count; ordinal: needs label values; needs: what of the scores;
    bounds: lowest and highest possible value; more_classes_than: a top-k accuracy of k
    classes says nothing.
    """

    name: str
    label: str
    better: Better
    share: bool = field(default=False, kw_only=True)
    ordinal: bool = field(default=False, kw_only=True)
    needs: Needs = field(default="labels", kw_only=True)
    bounds: tuple[float, float] = field(default=(0.0, np.inf), kw_only=True)
    more_classes_than: int = field(default=0, kw_only=True)

    def applies(self, outcomes: Outcomes) -> bool:
        """Whether the predictions hold what the metric needs."""
        given = {
            "labels": True,
            "scores": outcomes.scores is not None,
            "probabilities": outcomes.probabilities is not None,
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


def macro_mae(c: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean over the classes that bear images of their mean absolute errors."""
    distance = np.abs(values[:, None] - values[None, :])
    return _macro(_per_class((distance * c).sum(axis=-1), c.sum(axis=-1), np.nan), c)


def _percent_errors(outcomes: Outcomes) -> np.ndarray:
    """100 |a - b| / (a + b): the percent error of two reads, 0 where both are 0.

    The mean deviation from the mean of two reads, over their mean (Beamish and Fournier
    1981). Symmetric in the reads: a measure of precision, not of accuracy.
    """
    total = np.abs(outcomes.values[outcomes.y_pred] + outcomes.values[outcomes.y_true])
    return 100 * _per_class(np.abs(_error(outcomes)), total, 0.0)


def _probabilities(outcomes: Outcomes) -> np.ndarray:
    p = outcomes.probabilities
    assert p is not None, "applies() was not asked"
    return p


def _scores(outcomes: Outcomes) -> np.ndarray:
    assert outcomes.scores is not None, "applies() was not asked"
    return outcomes.scores


def _calibration(error: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> OnOutcomes:
    return lambda o: float(error(*prob.top_label(_probabilities(o), o.y_true)))


def _perfect(error: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> OnOutcomes:
    # A fixed seed: the same predictions always show the same value.
    return lambda o: prob.of_perfect_model(
        error, _probabilities(o).max(axis=1), np.random.default_rng(0)
    )


def _on_scores(compute: Callable[[np.ndarray, np.ndarray], float]) -> OnOutcomes:
    return lambda o: compute(_scores(o), o.y_true)


def _on_probabilities(terms: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Terms:
    return lambda o: terms(_probabilities(o), o.y_true)


def _top(k: int) -> MeanMetric:
    return MeanMetric(
        f"top_{k}",
        f"Top-{k} accuracy",
        "higher",
        lambda o: ranking.top_k_terms(_scores(o), o.y_true, k),
        share=True,
        needs="scores",
        more_classes_than=k,
        bounds=(0, 1),
    )


def _tau(o: Outcomes) -> float:
    truth = o.values[o.y_true]
    return ranking.kendall_tau(truth, truth + _raw_error(o))


_DEFINITIONS: tuple[Metric, ...] = (
    MeanMetric(
        "accuracy",
        "Accuracy",
        "higher",
        lambda o: (o.y_true == o.y_pred).astype(float),
        share=True,
        bounds=(0, 1),
    ),
    ConfusionMetric(
        "macro_recall",  # which is also called balanced accuracy
        "Macro recall",
        "higher",
        lambda c, v: _macro(recalls(c), c),
        bounds=(0, 1),
    ),
    ConfusionMetric(
        "macro_precision",
        "Macro precision",
        "higher",
        lambda c, v: _macro(precisions(c), c),
        bounds=(0, 1),
    ),
    ConfusionMetric(
        "macro_f1",
        "Macro F1",
        "higher",
        lambda c, v: _macro(f1s(c), c),
        bounds=(0, 1),
    ),
    MeanMetric(
        "within_1",
        "Accuracy within 1",
        "higher",
        lambda o: (np.abs(_error(o)) <= 1).astype(float),
        share=True,
        ordinal=True,
        bounds=(0, 1),
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
    ConfusionMetric("macro_mae", "Macro MAE", "lower", macro_mae, ordinal=True),
    MeanMetric("bias", "Bias", "zero", _error, ordinal=True, bounds=(-np.inf, np.inf)),
    ConfusionMetric(
        "qwk",
        "Quadratic weighted kappa",
        "higher",
        quadratic_kappa,
        ordinal=True,
        bounds=(-1, 1),
    ),
    OrderMetric("tau", "Kendall's tau", "higher", _tau, ordinal=True, bounds=(-1, 1)),
    MeanMetric("ape", "Average % error", "lower", _percent_errors, ordinal=True),
    MeanMetric(
        "acv",
        "Average CV, %",
        "lower",
        # Of two reads, sd / mean = sqrt(2) times the percent error (Chang 1982).
        lambda o: np.sqrt(2) * _percent_errors(o),
        ordinal=True,
    ),
    _top(2),
    _top(3),
    _top(5),
    MeanMetric(
        "nll",
        "Log loss",
        "lower",
        _on_probabilities(prob.log_loss_terms),
        needs="probabilities",
    ),
    MeanMetric(
        "brier",
        "Brier score",
        "lower",
        _on_probabilities(prob.brier_terms),
        needs="probabilities",
        bounds=(0, 2),
    ),
    MeanMetric(
        "rps",
        "Ranked probability score",
        "lower",
        _on_probabilities(prob.rps_terms),
        ordinal=True,
        needs="probabilities",
        bounds=(0, 1),
    ),
    *(
        OrderMetric(name, label, "lower", compute, needs="probabilities", bounds=(0, 1))
        for name, label, compute in (
            ("ece", "ECE, 15 bins", _calibration(prob.ece)),
            ("ece_perfect", "ECE if calibrated", _perfect(prob.ece)),
            (
                "rms_calibration",
                "RMS calibration error",
                _calibration(prob.rms_calibration_error),
            ),
            (
                "rms_calibration_perfect",
                "RMS calibration error if calibrated",
                _perfect(prob.rms_calibration_error),
            ),
        )
    ),
    OrderMetric(
        "auroc",
        "AUROC",
        "higher",
        _on_scores(ranking.auroc),
        needs="scores",
        bounds=(0, 1),
    ),
    OrderMetric(
        "map",
        "Mean average precision",
        "higher",
        _on_scores(ranking.mean_average_precision),
        needs="scores",
        bounds=(0, 1),
    ),
)

# What is told of each class: functions of C (..., K, K) -> (..., K). All are shares.
PER_CLASS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "recall": recalls,
    "precision": precisions,
    "f1": f1s,
}

METRICS: dict[str, Metric] = {metric.name: metric for metric in _DEFINITIONS}
