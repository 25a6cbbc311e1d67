"""Where variance comes from: seeds, folds, prompts, encoders."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


def crossed_components(values: np.ndarray, factors: Sequence[str]) -> dict[str, float]:
    """{factor: variance}, and "residual", of a balanced table of crossed factors.

    values: one axis per factor, each of length >= 2, one value per cell. Main effects
    only: interactions are in the residual. Method of moments: E[MS_f] = residual +
    cells per level x variance_f. A negative estimate is returned as 0: the factor
    shows no variance beyond the residual. ValueError for a shape that does not fit.
    """
    x = np.asarray(values, dtype=float)
    if x.ndim != len(factors) or min(x.shape, default=0) < 2:
        raise ValueError(f"shape {x.shape} does not fit the factors {list(factors)}")
    means = [
        x.mean(axis=tuple(other for other in range(x.ndim) if other != axis))
        for axis in range(x.ndim)
    ]
    squares = [x.size / len(m) * float(((m - x.mean()) ** 2).sum()) for m in means]
    left = float(((x - x.mean()) ** 2).sum()) - sum(squares)
    residual = left / (x.size - 1 - sum(len(m) - 1 for m in means))
    components = {
        name: max(0.0, (ss / (len(m) - 1) - residual) * len(m) / x.size)
        for name, ss, m in zip(factors, squares, means, strict=True)
    }
    return components | {"residual": residual}


def nested_components(values: np.ndarray) -> tuple[float, float]:
    """(between, within) variance of values (levels, replicates), replicates nested.

    For instance seeds, and the folds of each seed. One-way method of moments; a
    negative between-variance is returned as 0. ValueError below 2 x 2.
    """
    x = np.asarray(values, dtype=float)
    if x.ndim != 2 or min(x.shape) < 2:
        raise ValueError(f"need at least 2 x 2 values, got {x.shape}")
    within = float(x.var(axis=1, ddof=1).mean())
    between = float(x.mean(axis=1).var(ddof=1)) - within / x.shape[1]
    return max(0.0, between), within


@dataclass(frozen=True)
class Seeds:
    """Two fine-tuned models over their seeds; p_higher counts ties as half."""

    mean_a: float
    sd_a: float
    mean_b: float
    sd_b: float
    p_higher: float


def compare_seeds(a: np.ndarray, b: np.ndarray) -> Seeds:
    """Mean and spread over seeds, and P(a run of a scores higher than a run of b).

    a: (S,), b: (T,) values of one metric, one per seed. P is over all S x T pairs of
    runs, as seeds of different models are not paired. NaN spread for a single seed.
    Bouthillier et al. (2021) call a difference meaningful where P >= 0.75.
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    gap = a[:, None] - b[None, :]
    p_higher = float((gap > 0).mean() + (gap == 0).mean() / 2)
    return Seeds(float(a.mean()), _spread(a), float(b.mean()), _spread(b), p_higher)


def _spread(x: np.ndarray) -> float:
    return float(x.std(ddof=1)) if len(x) > 1 else float("nan")
