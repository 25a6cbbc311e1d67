"""Shares and metrics of confusion matrices, whole stacks of them at once.

C is a matrix (..., K, K) of counts with true classes in rows.
"""

import numpy as np


def per_class(
    numerator: np.ndarray, denominator: np.ndarray, undefined: float
) -> np.ndarray:
    """Numerator / denominator, and `undefined` where the denominator is 0."""
    return np.divide(
        numerator,
        denominator,
        out=np.full_like(numerator, undefined, dtype=float),
        where=denominator > 0,
    )


def _diagonal(c: np.ndarray) -> np.ndarray:
    return np.diagonal(c, axis1=-2, axis2=-1)


def recalls(c: np.ndarray) -> np.ndarray:
    """(..., K) recall per class; NaN for a class without images."""
    return per_class(_diagonal(c), c.sum(axis=-1), np.nan)


def precisions(c: np.ndarray) -> np.ndarray:
    """(..., K) precision per class; 0 for a class never predicted."""
    return per_class(_diagonal(c), c.sum(axis=-2), 0.0)


def f1s(c: np.ndarray) -> np.ndarray:
    """(..., K) F1 per class; NaN for a class neither borne nor predicted."""
    return per_class(2 * _diagonal(c), c.sum(axis=-1) + c.sum(axis=-2), np.nan)


def macro(values: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Mean over the classes that bear images: the same classes for every model."""
    present = c.sum(axis=-1) > 0
    total = np.where(present, np.nan_to_num(values), 0.0).sum(axis=-1)
    return total / present.sum(axis=-1)


def quadratic_kappa(c: np.ndarray, values: np.ndarray) -> np.ndarray:
    """1 - sum wO / sum wE with w = squared distance of label values.

    Weights go by label value, so a missing age does not shrink the distance between its
    neighbours. NaN where all images and predictions are of one class.
    """
    w = (values[:, None] - values[None, :]) ** 2
    n = c.sum(axis=(-2, -1))
    expected = c.sum(axis=-1)[..., :, None] * c.sum(axis=-2)[..., None, :]
    chance = (w * expected).sum(axis=(-2, -1))
    observed = (w * c).sum(axis=(-2, -1)) * n
    return 1 - per_class(np.asarray(observed), np.asarray(chance), np.nan)


def macro_mae(c: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean over the classes that bear images of their mean absolute errors."""
    distance = np.abs(values[:, None] - values[None, :])
    return macro(per_class((distance * c).sum(axis=-1), c.sum(axis=-1), np.nan), c)
