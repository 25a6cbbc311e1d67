"""How far the training pictures of a class may change; `views` changes them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Augmentation:
    """How far a picture may change; all zeros and ones: not at all.

    `crop` is the smallest share of the area that a random crop keeps, `flip` the
    probability of a left-right flip, `rotate` the largest angle in degrees, `jitter`
    the largest relative change of brightness and of contrast.
    """

    crop: float = 1.0
    flip: float = 0.0
    rotate: float = 0.0
    jitter: float = 0.0
