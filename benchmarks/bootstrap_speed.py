"""Time of the paired bootstrap and sign-flip of many encoders, and of a plain loop.

The task: 10,000 replicates, 45 pairs (10 encoders), 6 metrics, 10,000 images. The peer
is stambo where it is installed, one pair and metric at a time; otherwise a loop over
replicates that computes each metric of each resample with scikit-learn, as such code is
usually written. The peer runs a part of the task and is scaled up, which flatters it.
"""

import argparse
import csv
import importlib.util
import sys
import time
from itertools import combinations
from pathlib import Path

import numpy as np
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/scripts"))

from bakeoff.metrics.definitions import METRICS
from bakeoff.metrics.interface import Outcomes
from bakeoff.stats.resampling import bootstrap, percentile_interval, sign_flip, terms_of

NAMES = ("accuracy", "macro_recall", "macro_f1", "within_1", "rmse", "qwk")
CLASSES = 15


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


def plain_loop(outcomes: list[Outcomes], replicates: int) -> float:
    """Seconds of one pair and metric, mean over three metrics, in a loop."""
    rng, (a, b) = np.random.default_rng(0), outcomes[:2]
    metrics = (
        accuracy_score,
        balanced_accuracy_score,
        lambda y, p: f1_score(y, p, average="macro"),
    )
    start = time.perf_counter()
    for metric in metrics:
        for _ in range(replicates):
            rows = rng.integers(0, len(a.y_true), len(a.y_true))
            truth = a.y_true[rows]
            metric(truth, a.y_pred[rows]) - metric(truth, b.y_pred[rows])
    return (time.perf_counter() - start) / len(metrics)


def stambo_pair(outcomes: list[Outcomes], replicates: int) -> float:
    """Seconds of one pair and one metric (accuracy) with stambo."""
    import stambo

    a, b = outcomes[:2]

    def accuracy(truth: np.ndarray, predicted: np.ndarray) -> float:
        return accuracy_score(truth, predicted)

    start = time.perf_counter()
    stambo.compare_models(
        a.y_true,
        a.y_pred,
        b.y_pred,
        metrics={"accuracy": accuracy},
        n_bootstrap=replicates,
    )
    return time.perf_counter() - start


def main() -> None:
    """Time all, print and write a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--encoders", type=int, default=10)
    parser.add_argument("--replicates", type=int, default=10_000)
    parser.add_argument("--peer-replicates", type=int, default=50)
    parser.add_argument("--output", type=Path, default=Path("bootstrap_speed.csv"))
    given = parser.parse_args()
    outcomes = made_up(given.images, given.encoders, np.random.default_rng(0))
    pairs = given.encoders * (given.encoders - 1) // 2
    has_stambo = importlib.util.find_spec("stambo") is not None
    peer = stambo_pair if has_stambo else plain_loop
    scale = given.replicates / given.peer_replicates * pairs * len(NAMES)
    rows = [
        ("bakeoff bootstrap", ours(outcomes, given.replicates, flip=False)),
        ("bakeoff sign-flip", ours(outcomes, given.replicates, flip=True)),
        (
            f"{'stambo' if has_stambo else 'plain loop'} bootstrap, scaled up",
            peer(outcomes, given.peer_replicates) * scale,
        ),
    ]
    with given.output.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["what", "seconds"])
        table.writerows((name, f"{seconds:.1f}") for name, seconds in rows)
    for name, seconds in rows:
        print(f"{name}: {seconds:,.1f} s")


if __name__ == "__main__":
    main()
