"""How vectors of several encoders become one vector, and what is true of it then."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np

# Kinds of derived encoders whose vectors follow from their parts' vectors.
COMPOSED = ("concatenate", "average")


def compose(kind: str, parts: Sequence[np.ndarray]) -> np.ndarray:
    """(n, d) float32: unit vectors of all parts, side by side or averaged.

    parts: (n, d_i) float32 each, in any length. They are normalised first, or the
    longest vectors would outweigh the rest; divided by the root of their number, side by
    side, they are a unit vector again, and a cosine is the mean of the parts' cosines.
    A vector of zeros stays one.
    """
    units = [_unit(np.asarray(part, dtype=np.float32)) for part in parts]
    if kind == "concatenate":
        return np.concatenate(units, axis=1) / np.float32(np.sqrt(len(units)))
    return np.stack(units).mean(axis=0)


def combined(kind: str, parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What `Encoder.facts` says of the whole, from what it says of the parts.

    Scale and bias are the parts' mean, None where a part has none.
    """
    dimensions = [part["dimension"] for part in parts]
    return {
        "dimension": sum(dimensions) if kind == "concatenate" else dimensions[0],
        "resolution": max(part["resolution"] for part in parts),
        "has_text": all(part["has_text"] for part in parts),
        "logit_scale": _mean([part["logit_scale"] for part in parts]),
        "logit_bias": _mean([part["logit_bias"] for part in parts]),
    }


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, np.float32(1e-12))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None
