"""Encoder ids: what they are made of.

tiny-clip                    an entry of the catalogue
tiny-clip@96                 the same, at another resolution
tiny-clip+tiny-demo          fine-tuned by a recipe, on the study's training images
tiny-clip+tiny-demo~2        the same with another seed than the configuration's
tiny-clip+tiny-demo~2@96     the fine-tuned encoder at another resolution
"""

import re
from typing import NamedTuple

_FORM = re.compile(
    r"(?P<base>[^@+~]+)(\+(?P<recipe>[^@+~]+)(~(?P<seed>\d{1,9}))?)?(@(?P<resolution>[1-9]\d*))?"
)


class EncoderId(NamedTuple):
    """The parts of an encoder id; None for those that it does not have."""

    base: str
    recipe: str | None = None
    seed: int | None = None
    resolution: int | None = None


def parse(encoder: str) -> EncoderId | None:
    """The parts of an id; None where it has another form."""
    found = _FORM.fullmatch(encoder)
    if found is None:
        return None
    seed, resolution = found["seed"], found["resolution"]
    return EncoderId(
        found["base"],
        found["recipe"],
        int(seed) if seed else None,
        int(resolution) if resolution else None,
    )
