"""Time of the paired bootstrap and sign-flip of many encoders, against stambo.

The task: 10,000 replicates, 45 pairs (10 encoders), 6 metrics, 10,000 images. The peer
is stambo in its fastest form: one call for all encoders and metrics, each replicate's
resample shared by all. It runs fewer replicates, and its time is scaled up.
"""

import argparse
import sys
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import stambo
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    f1_score,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/scripts"))

from bakeoff.metrics.definitions import METRICS
from bakeoff.metrics.interface import Outcomes
from bakeoff.stats.resampling import bootstrap, percentile_interval, sign_flip, terms_of

NAMES = ("accuracy", "macro_recall", "macro_f1", "within_1", "rmse", "qwk")
CLASSES = 15
# The same six of (n, 2) truths and predictions, as users of stambo would write them.
STATISTICS = {
    "accuracy": lambda s: accuracy_score(*s.T),
    "macro_recall": lambda s: balanced_accuracy_score(*s.T),
    "macro_f1": lambda s: f1_score(*s.T, average="macro"),
    "within_1": lambda s: (np.abs(s[:, 0] - s[:, 1]) <= 1).mean(),
    "rmse": lambda s: np.sqrt(((s[:, 0] - s[:, 1]) ** 2).mean()),
    "qwk": lambda s: cohen_kappa_score(*s.T, weights="quadratic"),
}


def made_up(images: int, encoders: int, rng: np.random.Generator) -> list[Outcomes]:
    """Outcomes of encoders that are right about four times of five."""
    truth = rng.integers(0, CLASSES, images)
    guesses = rng.integers(0, CLASSES, (encoders, images))
    predicted = np.where(rng.random((encoders, images)) < 0.8, truth, guesses)
    names, values = tuple(map(str, range(CLASSES))), np.arange(float(CLASSES))
    return [Outcomes(truth, p, names, values) for p in predicted]


def ours(outcomes: list[Outcomes], replicates: int, *, flip: bool) -> float:
    """Seconds for all pairs and metrics."""
    start = time.perf_counter()
    metrics = [METRICS[name] for name in NAMES]
    terms = [terms_of(o, metrics) for o in outcomes]
    pairs = list(combinations(range(len(terms)), 2))
    if flip:
        sign_flip(terms, pairs, replicates, np.random.default_rng(0))
    else:
        values = bootstrap(terms, replicates, np.random.default_rng(0))
        for a, b in pairs:
            for m in range(len(metrics)):
                percentile_interval(values[a, m] - values[b, m])
    return time.perf_counter() - start


def peer(outcomes: list[Outcomes], replicates: int) -> float:
    """Seconds of stambo for all pairs and metrics, encoders resampled together."""
    samples = tuple(np.column_stack([o.y_true, o.y_pred]) for o in outcomes)
    start = time.perf_counter()
    stambo.pairwise_bootstrap_test(
        samples, STATISTICS, n_bootstrap=replicates, seed=0, silent=True
    )
    return time.perf_counter() - start


def main() -> None:
    """Time all and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--encoders", type=int, default=10)
    parser.add_argument("--replicates", type=int, default=10_000)
    parser.add_argument("--peer-replicates", type=int, default=100)
    given = parser.parse_args()
    outcomes = made_up(given.images, given.encoders, np.random.default_rng(0))
    theirs = peer(outcomes, given.peer_replicates)
    rows = [
        ("bakeoff bootstrap", ours(outcomes, given.replicates, flip=False)),
        ("bakeoff sign-flip", ours(outcomes, given.replicates, flip=True)),
        (
            f"stambo bootstrap, scaled up from {given.peer_replicates} replicates",
            theirs * given.replicates / given.peer_replicates,
        ),
    ]
    for name, seconds in rows:
        print(f"{name}: {seconds:,.1f} s")
    print(f"ratio of the bootstraps: {rows[2][1] / rows[0][1]:.0f}")


if __name__ == "__main__":
    main()
