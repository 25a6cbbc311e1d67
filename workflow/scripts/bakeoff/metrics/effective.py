"""How many independent images the images of a share are worth, where they come in groups."""

import numpy as np


def effective_images(terms: np.ndarray, groups: np.ndarray, images: float) -> float:
    """Independent images with which the mean of `terms` would vary as much as it does.

    terms: (n,) 0 or 1, of images that may be there once per repetition; groups: (n,)
    labels; images: of one repetition. With mean p the number is p (1 - p) / V, where V
    is the variance of the mean with whole groups taken as independent,
    g / (g - 1) sum_groups (sum of terms - p)^2 / n^2; never more than `images`. Where all
    terms are equal, or all groups vary alike, every group counts once: its other images
    say nothing that is known. For Wilson's interval: Korn & Graubard (1998), Survey
    Methodology 24:193, who do so for binomial intervals.
    """
    x = np.asarray(terms, dtype=float)
    _, code = np.unique(groups, return_inverse=True)
    g, p = code.max() + 1, x.mean()
    spread = (np.bincount(code, weights=x - p) ** 2).sum()
    if g < 2 or spread < 1e-12:
        return float(min(g, images))
    variance = g / (g - 1) * spread / len(x) ** 2
    return float(min(images, p * (1 - p) / variance))
