"""Names of what is independent: groups, and images without one."""

from collections.abc import Mapping, Sequence

import numpy as np


def unit_names(
    ids: Sequence[str] | np.ndarray, groups: Mapping[str, str | None] | None
) -> np.ndarray:
    """(n,) the group of each image; an image without a group is a group of its own."""
    found = groups or {}
    return np.array(
        [
            f"image {i}" if found.get(str(i)) is None else f"group {found[str(i)]}"
            for i in ids
        ]
    )
