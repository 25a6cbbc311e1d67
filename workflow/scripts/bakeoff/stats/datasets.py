"""Several models over several data sets: ranks, and only where data sets suffice.

scores: (N, k), one row per data set and one column per model, higher is better. Folds
are not data sets: over the folds of one data set these tests find differences that do
not exist in more than half of all cases.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from bakeoff.errors import BakeoffError
from bakeoff.stats.multiplicity import holm

FEWEST_DATASETS = 5
FEWEST_MODELS = 3


@dataclass(frozen=True)
class Friedman:
    """Friedman's test: mean ranks (1 is best) and three forms of its statistic.

    chi2 and p are corrected for ties, chi2_plain is not; f and f_p are Iman and
    Davenport's F on (k - 1, (k - 1)(N - 1)) degrees of freedom, from chi2_plain.
    """

    mean_ranks: np.ndarray
    chi2: float
    p: float
    chi2_plain: float
    f: float
    f_p: float


def friedman(scores: np.ndarray) -> Friedman:
    """Friedman's test of equal models over data sets.

    Raises BakeoffError for fewer than FEWEST_DATASETS data sets or FEWEST_MODELS models. p is 1
    where every data set ties all models. Demsar (2006), JMLR 7:1.
    """
    x = _enough(scores)
    n, k = x.shape
    ranks = stats.rankdata(-x, axis=1).mean(axis=0)
    plain = 12 * n / (k * (k + 1)) * float((ranks**2).sum() - k * (k + 1) ** 2 / 4)
    if (x == x[:, :1]).all():
        return Friedman(ranks, 0.0, 1.0, 0.0, 0.0, 1.0)
    corrected = stats.friedmanchisquare(*x.T)
    left = n * (k - 1) - plain
    f = (n - 1) * plain / left if left > 1e-9 else np.inf
    f_p = float(stats.f.sf(f, k - 1, (k - 1) * (n - 1)))
    return Friedman(
        ranks, float(corrected.statistic), float(corrected.pvalue), plain, float(f), f_p
    )


def wilcoxon_holm(scores: np.ndarray) -> dict[tuple[int, int], tuple[float, float]]:
    """{(i, j): (p, Holm-adjusted p)} of Wilcoxon's signed-rank test for every pair.

    Ties between two models are shared between both signs; p is exact where scipy can
    make it so. Raises as `friedman`.
    """
    x = _enough(scores)
    pairs = [(i, j) for i in range(x.shape[1]) for j in range(i + 1, x.shape[1])]
    p = np.array([signed_rank_p(x[:, i], x[:, j]) for i, j in pairs])
    return dict(zip(pairs, zip(p.tolist(), holm(p).tolist(), strict=True), strict=True))


def signed_rank_p(a: np.ndarray, b: np.ndarray) -> float:
    """Two-sided p of Wilcoxon's signed-rank test; 1 where a and b are equal."""
    d = np.asarray(a, float) - np.asarray(b, float)
    if not d.any():
        return 1.0
    return float(stats.wilcoxon(d, zero_method="zsplit").pvalue)


def hodges_lehmann(d: np.ndarray) -> float:
    """The difference that the signed-rank test would least reject: (N,) to a number.

    The median of the means of all pairs of differences, each with itself included.
    Hodges and Lehmann (1963), Ann Math Stat 34:598.
    """
    i, j = np.triu_indices(len(d))
    return float(np.median((d[i] + d[j]) / 2))


def critical_difference(k: int, n: int, alpha: float = 0.05) -> float:
    """Nemenyi's critical difference of mean ranks of k models over n data sets.

    q_alpha sqrt(k (k + 1) / (6 n)), q from the studentised range over sqrt 2.
    """
    q = stats.studentized_range.ppf(1 - alpha, k, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(k * (k + 1) / (6 * n)))


def _enough(scores: np.ndarray) -> np.ndarray:
    x = np.asarray(scores, dtype=float)
    if x.ndim != 2 or x.shape[0] < FEWEST_DATASETS or x.shape[1] < FEWEST_MODELS:
        raise BakeoffError(
            "comparison over data sets",
            f"scores of shape {x.shape} (data sets, models)",
            f"at least {FEWEST_DATASETS} data sets and {FEWEST_MODELS} models",
            "Compare encoders on one data set with the tests of that data set; its "
            "folds cannot stand in for data sets.",
        )
    return x
