"""Adjusted p-values of a family of tests; NaN (no test) takes no part."""

from collections.abc import Callable

import numpy as np
from scipy.stats import false_discovery_control


def holm(p: np.ndarray) -> np.ndarray:
    """(m,) Holm-adjusted p-values: the chance of any false finding is kept.

    In ascending order p_(i) becomes the largest (m - j + 1) p_(j) of j <= i, at most 1.
    Holm (1979), Scand J Stat 6:65.
    """
    return _among_defined(p, _step_down)


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """(m,) p-values adjusted for the share of false findings; exploratory only."""
    return _among_defined(p, false_discovery_control)


def _step_down(p: np.ndarray) -> np.ndarray:
    # Five lines here, against statsmodels and pandas loaded into every light job.
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    factors = np.arange(len(p), 0, -1)
    adjusted[order] = np.maximum.accumulate(p[order] * factors).clip(max=1)
    return adjusted


def _among_defined(
    p: np.ndarray, adjust: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    adjusted = np.array(p, dtype=float)
    defined = ~np.isnan(adjusted)
    if defined.any():
        adjusted[defined] = adjust(adjusted[defined])
    return adjusted
