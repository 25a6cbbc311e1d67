"""Outcomes of a made-up pair of encoders with known shares of right answers."""

import numpy as np
import pytest
from bakeoff.metrics.interface import Outcomes


def made_up(n: int, classes: int, right: float, seed: int) -> Outcomes:
    """Truth uniform over the classes; each prediction right with chance `right`."""
    truth = np.random.default_rng(0).integers(0, classes, n)
    rng = np.random.default_rng(seed)
    guess = rng.integers(0, classes, n)
    predicted = np.where(rng.random(n) < right, truth, guess)
    return Outcomes(
        truth,
        predicted,
        tuple(str(c) for c in range(classes)),
        np.arange(classes, dtype=float),
        raw=predicted + rng.normal(0, 0.2, n),
    )


@pytest.fixture
def pair() -> list[Outcomes]:
    return [made_up(60, 4, 0.7, 1), made_up(60, 4, 0.5, 2)]
