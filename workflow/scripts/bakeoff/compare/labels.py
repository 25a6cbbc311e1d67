"""Names of the tests, and the bands within which a difference does not matter."""

from bakeoff.metrics.definitions import METRICS

TESTS: dict[str, str] = {
    "corrected_t": "corrected t per image, after Nadeau and Bengio",
    "bounded_t": "corrected t per image, training images at their bound",
    "refitted_t": "t with refits without each image",
    "crossed_t": "t of images crossed with draws",
    "nadeau_bengio": "corrected t over runs as Nadeau and Bengio published it",
    "paired_t": "naive paired t (too often wrong; shown for comparison only)",
    "five_by_two_f": "combined 5x2 cv F",
    "mcnemar_midp": "McNemar mid-p, Tango interval",
    "mcnemar_exact": "McNemar exact, Newcombe interval",
    "sign_flip": "sign-flip permutation, paired bootstrap interval",
    "cluster_sign_flip": "sign-flip of whole groups, cluster bootstrap interval",
    "cluster_t": "cluster-robust t",
    "jackknife": "delete-one jackknife t",
    "evans_hoenig": "Evans-Hoenig symmetry",
    "bowker": "Bowker symmetry",
    "friedman": "Friedman over data sets, Iman-Davenport F",
    "wilcoxon": "Wilcoxon signed-rank over data sets",
    "none": "no test",
}

# Metrics counted in the unit of the labels, such as years.
LABEL_UNITS = frozenset({"rmse", "rmse_rounded", "mae", "bias"})


def default_band(metric: str) -> float:
    """Half width of the band of practical equivalence, in the metric's own unit.

    One point for shares (Benavoli et al. 2017), 0.05 label units for errors.
    """
    return 0.05 if metric in LABEL_UNITS else 0.01


def in_points(metric: str) -> bool:
    """Whether people read the metric as a percentage."""
    if metric in ("recall", "precision", "f1"):
        return True
    known = METRICS.get(metric)
    return bool(known and known.share) or metric.startswith("macro_")
