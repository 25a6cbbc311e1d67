"""Every metric by name: what it needs, which way is better, how to compute it."""

from collections.abc import Callable

import numpy as np

from bakeoff.metrics import probabilistic as prob
from bakeoff.metrics import ranking
from bakeoff.metrics.interface import (
    ConfusionMetric,
    MeanMetric,
    Metric,
    OnOutcomes,
    OrderMetric,
    Outcomes,
    Terms,
)
from bakeoff.metrics.matrix import (
    f1s,
    macro,
    macro_mae,
    per_class,
    precisions,
    quadratic_kappa,
    recalls,
)


def _error(outcomes: Outcomes) -> np.ndarray:
    """Predicted minus true label value, after rounding, in label units."""
    return outcomes.values[outcomes.y_pred] - outcomes.values[outcomes.y_true]


def _raw_error(outcomes: Outcomes) -> np.ndarray:
    """Predicted minus true, before rounding; rounded where a method has no raw."""
    if outcomes.raw is None:
        return _error(outcomes)
    return outcomes.raw - outcomes.values[outcomes.y_true]


def _percent_errors(outcomes: Outcomes) -> np.ndarray:
    """100 |a - b| / (a + b): the percent error of two reads, 0 where both are 0.

    The mean deviation from the mean of two reads, over their mean (Beamish and Fournier
    1981). Symmetric in the reads: a measure of precision, not of accuracy.
    """
    total = np.abs(outcomes.values[outcomes.y_pred] + outcomes.values[outcomes.y_true])
    return 100 * per_class(np.abs(_error(outcomes)), total, 0.0)


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
        lambda c, v: macro(recalls(c), c),
        bounds=(0, 1),
    ),
    ConfusionMetric(
        "macro_precision",
        "Macro precision",
        "higher",
        lambda c, v: macro(precisions(c), c),
        bounds=(0, 1),
    ),
    ConfusionMetric(
        "macro_f1",
        "Macro F1",
        "higher",
        lambda c, v: macro(f1s(c), c),
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
        "rmse",
        "RMSE",
        "lower",
        lambda o: _raw_error(o) ** 2,
        np.sqrt,
        ordinal=True,
        smooth=True,
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
        smooth=True,
    ),
    MeanMetric(
        "brier",
        "Brier score",
        "lower",
        _on_probabilities(prob.brier_terms),
        needs="probabilities",
        smooth=True,
        bounds=(0, 2),
    ),
    MeanMetric(
        "rps",
        "Ranked probability score",
        "lower",
        _on_probabilities(prob.rps_terms),
        ordinal=True,
        needs="probabilities",
        smooth=True,
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
