"""Moments at which something is killed: any of its duration, and those at which it writes."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

_POLL = 0.002  # seconds between two looks; a write takes longer


class Random(Protocol):
    """What a generator of random numbers of Python and of NumPy have in common."""

    def random(self) -> float: ...
    def uniform(self, low: float, high: float, /) -> float: ...


def wait_for_moment(
    place: Path, seconds: float, rng: Random, alive: Callable[[], bool]
) -> bool:
    """Wait until a random moment; whether the victim was alive.

    The moment is any of the next `seconds`, which should be how long the victim takes
    when it is left alone. Every other time the wait goes on until a file appears below
    `place`, under whatever name: what jobs leave half written stands there then.
    """
    until = time.monotonic() + rng.uniform(0, seconds)
    while time.monotonic() < until:
        if not alive():
            return False
        time.sleep(_POLL)
    if rng.random() < 0.5:
        return alive()
    before = files(place)
    while files(place) <= before:
        if not alive():
            return False
        time.sleep(_POLL)
    time.sleep(rng.uniform(0, 10 * _POLL))  # so as to meet the end of a write too
    return alive()


def files(place: Path) -> set[str]:
    """All files below a folder, hidden ones too, while others write there."""
    found = os.walk(place)
    return {f"{folder}/{name}" for folder, _, names in found for name in names}
