"""What each step sees, as functions of (seed, epoch, index) without any state.

Images are taken from an endless row of permutations of the data set, one per epoch; a
step is the next B places of it. So no image is dropped at the end of an epoch, a batch
may be larger than the data set, and a run that starts again at step s needs nothing but
the number s to see the same pictures and prompts.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

# Streams of random numbers that must not repeat one another.
PROMPT, CROP, PLACE_X, PLACE_Y, FLIP, ROTATION, BRIGHTNESS, CONTRAST = range(8)

_MASK = np.uint64(2**64 - 1)


@dataclass(frozen=True)
class Sampler:
    """The order of `n` images in steps of `batch`."""

    n: int
    batch: int
    seed: int

    def steps(self, epochs: float) -> int:
        """Steps that show every image `epochs` times, rounded up."""
        return max(1, -int(-epochs * self.n // self.batch))

    def images(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Indices and epochs, both (B,) int64, of the images of step 1, 2, ..."""
        places = np.arange((step - 1) * self.batch, step * self.batch)
        epochs = places // self.n
        order = np.concatenate(
            [
                permutation(self.n, self.seed, int(epoch))[
                    places[epochs == epoch] % self.n
                ]
                for epoch in np.unique(epochs)
            ]
        )
        return order, epochs


@lru_cache(maxsize=4)
def permutation(n: int, seed: int, epoch: int) -> np.ndarray:
    """The order of the images in one epoch, (n,) int64."""
    return np.random.default_rng([seed, epoch]).permutation(n)


def uniform(
    seed: int, epochs: np.ndarray | int, indices: np.ndarray | int, stream: int
) -> np.ndarray:
    """Numbers in [0, 1), each a function of its own (seed, epoch, index, stream).

    The mixing function of SplitMix64 (Steele, Lea & Flood 2014) over the four numbers:
    a generator object per image would cost more than decoding it.
    """
    state: Any = np.uint64(seed % 2**64)
    with np.errstate(over="ignore"):
        for part in (epochs, indices, stream):
            state = _mix(state ^ _mix(np.asarray(part).astype(np.uint64)))
    return np.asarray(state >> np.uint64(11), dtype=np.float64) / 2**53


def _mix(x: Any) -> Any:
    x = (x + np.uint64(0x9E3779B97F4A7C15)) & _MASK
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@dataclass(frozen=True)
class PromptBank:
    """The prompts of all classes: `texts` and, for each, the index of its class."""

    texts: list[str]
    classes: np.ndarray

    def draw(
        self, labels: np.ndarray, seed: int, epochs: np.ndarray, indices: np.ndarray
    ) -> np.ndarray:
        """One prompt of its class for every image, (B,) int64."""
        order = np.argsort(self.classes, kind="stable")
        counts = np.bincount(self.classes)
        starts = np.cumsum(counts) - counts
        choice = uniform(seed, epochs, indices, PROMPT) * counts[labels]
        return order[starts[labels] + choice.astype(np.int64)]
