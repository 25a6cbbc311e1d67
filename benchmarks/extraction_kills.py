"""Extractions killed at random moments end with the bytes of an undisturbed one.

    python benchmarks/extraction_kills.py --kills 20 --images 4000 --seed 1

Small pictures are embedded by a tiny encoder. Then the same extraction, in a process of
its own, is ended by SIGKILL at a random moment and started again, until so many kills
have met it. Each time it comes to its end, the table and all shards are compared byte by
byte. Prints the number of kills, the most images that any of them made to be encoded
again (no more than a shard and the picture that tells the dimension), their sum, and how
many extractions came to their end; an AssertionError where one ended otherwise.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path[:0] = ["tests", "workflow/scripts"]

from support.extraction_kills import Extraction, kill_and_compare  # noqa: E402


def main() -> None:
    """Print what the kills met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--shard-size", type=int, default=128)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images"
        extraction = Extraction.of(images, options.images, options.shard_size)
        print(kill_and_compare(extraction, Path(folder), options.kills, options.seed))


if __name__ == "__main__":
    main()
