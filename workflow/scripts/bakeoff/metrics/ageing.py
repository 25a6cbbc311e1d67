"""Ordinal predictions as readers of ages judge them: bias by age, agreement, precision.

Two reads a (reference) and b (model) of one fish, in label values such as years.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student
from statsmodels.stats.multitest import multipletests

from bakeoff.metrics.interface import Outcomes


@dataclass(frozen=True)
class AgeBias:
    """One reference age: images, mean predicted age, its interval and test of bias.

    low, high: t-interval of the mean; p: of mean = age, Holm-adjusted over all ages.
    The three are NaN with fewer than three images or where predictions do not vary.
    """

    age: float
    n: int
    mean: float
    low: float
    high: float
    p: float


def age_bias(outcomes: Outcomes, confidence: float = 0.95) -> list[AgeBias]:
    """The age-bias table (Campana et al. 1995), by ascending reference age.

    Ages that no image bears are left out.
    """
    reads = {
        float(outcomes.values[k]): outcomes.values[
            outcomes.y_pred[outcomes.y_true == k]
        ]
        for k in np.unique(outcomes.y_true)
    }
    tests = [_one_sample(age, b, confidence) for age, b in sorted(reads.items())]
    p = np.array([test[-1] for test in tests])
    tested = np.isfinite(p)
    if tested.any():
        p[tested] = multipletests(p[tested], method="holm")[1]
    return [
        AgeBias(age, len(reads[age]), float(reads[age].mean()), low, high, float(q))
        for (age, low, high, _), q in zip(tests, p, strict=True)
    ]


def _one_sample(
    age: float, b: np.ndarray, confidence: float
) -> tuple[float, float, float, float]:
    """Age, ends of the t-interval of mean(b), and p of the test that it is `age`."""
    n = len(b)
    if n < 3 or b.std() == 0:
        return age, np.nan, np.nan, np.nan
    error = b.std(ddof=1) / np.sqrt(n)
    half = student.ppf((1 + confidence) / 2, n - 1) * error
    p = 2 * student.sf(abs(b.mean() - age) / error, n - 1)
    return age, float(b.mean() - half), float(b.mean() + half), float(p)


def differences(outcomes: Outcomes) -> dict[float, float]:
    """Share of images by predicted minus true age, from the lowest difference up."""
    error = outcomes.values[outcomes.y_pred] - outcomes.values[outcomes.y_true]
    d, counts = np.unique(error, return_counts=True)
    return {float(x): float(c / len(error)) for x, c in zip(d, counts, strict=True)}


def constant_within_1(outcomes: Outcomes) -> float:
    """Accuracy within 1 of the best constant prediction: what a model must exceed."""
    truth = outcomes.values[outcomes.y_true]
    near = np.abs(truth[:, None] - outcomes.values[None, :]) <= 1
    return float(near.mean(axis=0).max())
