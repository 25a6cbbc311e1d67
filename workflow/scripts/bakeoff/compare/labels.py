"""Names of the tests, and the bands within which a difference does not matter."""

from math import inf

from bakeoff.metrics.definitions import METRICS

_OF_A_CLASS = ("recall", "precision", "f1")

TESTS: dict[str, str] = {
    "corrected_t": "Nadeau-Bengio corrected t",
    "paired_t": "naive paired t (too often wrong; shown for comparison only)",
    "sum_of_errors": "bound by the sum of both errors (Bayle and others 2025)",
    "five_by_two_f": "combined 5x2 cv F",
    "mcnemar_midp": "McNemar mid-p, Tango interval",
    "mcnemar_exact": "McNemar exact, Newcombe interval",
    "sign_flip": "sign-flip permutation, paired bootstrap interval",
    "cluster_sign_flip": "sign-flip of whole groups, cluster bootstrap interval",
    "cluster_t": "cluster-robust t",
    "jackknife": "delete-one jackknife, normal interval",
    "evans_hoenig": "Evans-Hoenig symmetry",
    "bowker": "Bowker symmetry",
    "friedman": "Friedman over data sets, Iman-Davenport F",
    "wilcoxon": "Wilcoxon signed-rank over data sets",
    "none": "no test",
}

# Tests on one fixed set of images: they compare models as trained once, if trained.
FIXED = frozenset(
    {
        "mcnemar_midp",
        "mcnemar_exact",
        "sign_flip",
        "cluster_sign_flip",
        "cluster_t",
        "jackknife",
    }
)

# Metrics counted in the unit of the labels, such as years.
LABEL_UNITS = frozenset({"rmse", "rmse_rounded", "mae", "macro_mae", "bias"})


def bootstrapped(test: str, label: str) -> bool:
    """Whether p_better, p_equivalent and p_worse are shares of bootstrap samples.

    Those of other tests, and of all tests of one class, are chances of a t distribution.
    """
    return test in ("mcnemar_midp", "sign_flip", "cluster_sign_flip") and not label


def default_band(metric: str) -> float:
    """Half width of the band of practical equivalence, in the metric's own unit.

    One point for shares (Benavoli et al. 2017), 0.05 label units for errors.
    """
    return 0.05 if metric in LABEL_UNITS else 0.01


def in_points(metric: str) -> bool:
    """Whether people read the metric as a percentage."""
    if metric in _OF_A_CLASS:
        return True
    known = METRICS.get(metric)
    macro = metric.startswith("macro_") and metric not in LABEL_UNITS
    return bool(known and known.share) or macro


def largest_difference(metric: str) -> float:
    """The largest difference that two values of the metric can have; infinity if any."""
    if metric in _OF_A_CLASS:
        return 1.0
    low, high = METRICS[metric].bounds if metric in METRICS else (-inf, inf)
    return high - low
