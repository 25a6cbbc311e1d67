"""Trainings killed at random moments end with the weights of an undisturbed one.

    python benchmarks/finetune_kills.py --kills 20 --seed 1

A tiny encoder is fine-tuned with everything that a checkpoint must hold: memory,
averages, held-out images, augmentation. Then the same training, in a process of its
own, is ended by SIGKILL at a random moment and started again, until so many kills have
met it. Each time it comes to its end, its weights are compared bit by bit. Prints the
number of kills, how many came before the first checkpoint, and how many trainings came
to their end; an AssertionError where one ended otherwise.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path[:0] = ["tests/finetune", "tests", "workflow/scripts"]

from study import Study  # noqa: E402
from training_kills import kill_and_compare  # noqa: E402


def main() -> None:
    """Print what the kills met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        study = Study(Path(folder) / "study", per_class=13)
        print(kill_and_compare(study, Path(folder), options.kills, options.seed))


if __name__ == "__main__":
    main()
