"""Moments at which something is killed: any of its duration, and those at which it writes."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

_POLL = 0.002  # seconds between two looks; a write takes longer
_AT_A_FILE = 0.3  # chance that a new file is the moment


class Random(Protocol):
    """What a generator of random numbers of Python and of NumPy have in common."""

    def random(self) -> float: ...
    def uniform(self, low: float, high: float, /) -> float: ...


def wait_for_moment(
    place: Path, seconds: float, rng: Random, alive: Callable[[], bool]
) -> bool:
    """Wait until a random moment; whether the victim was alive.

    Every other time it is any moment of the next `seconds`, which should be how long the
    victim takes when it is left alone. Else it is when a file appears below `place`,
    under whatever name, one of the first few: what jobs leave half written stands there
    then, however fast the machine has become.
    """
    if rng.random() < 0.5:
        until = time.monotonic() + rng.uniform(0, seconds)
        while alive() and time.monotonic() < until:
            time.sleep(_POLL)
        return alive()
    seen = files(place)
    while alive():
        now = files(place)
        if now - seen and rng.random() < _AT_A_FILE:
            return alive()
        seen |= now
        time.sleep(_POLL)
    return False


def files(place: Path) -> set[str]:
    """All files below a folder, hidden ones too, while others write there.

    But for notes in JSON, which are many, and written in no time.
    """
    found = ((folder, name) for folder, _, names in os.walk(place) for name in names)
    return {f"{folder}/{name}" for folder, name in found if ".json" not in name}
