"""Square tables of two raters over the same categories: symmetry and margins.

A table is (K, K) counts, first rater in rows, second in columns: two encoders, or an
encoder and a reader of ages.
"""

import numpy as np
from scipy import stats

from bakeoff.stats.result import Result


def bowker(table: np.ndarray) -> Result:
    """Bowker's test of symmetry, n_ij against n_ji for every pair of categories.

    The degrees of freedom count the pairs that hold images: an empty pair can show
    nothing, and counting it (as some programs do) hides asymmetry in wide tables.
    n is the number of images off the diagonal; p is 1 where there are none.
    """
    c = _square(table)
    upper = np.triu_indices(len(c), 1)
    return _symmetry(c[upper], c.T[upper])


def evans_hoenig(table: np.ndarray, values: np.ndarray | None = None) -> Result:
    """Evans-Hoenig test of symmetry: images above and below, pooled by distance.

    values: (K,) the categories' numbers; 0..K-1 without. Counts of pairs whose label
    values are equally far apart are added before they are compared; the degrees of
    freedom count the distances that hold images. A systematic over- or under-ageing by
    one year is thus found where Bowker's many small cells would hide it.
    Evans & Hoenig (1998), Biometrics 54:620; McBride (2015).
    """
    c = _square(table)
    v = np.arange(len(c), dtype=float) if values is None else np.asarray(values, float)
    # Rounded, so that 0.3 - 0.2 and 0.2 - 0.1 are one distance.
    gap = np.round(v[None, :] - v[:, None], 9)
    distances = np.unique(gap[gap > 0])
    above = np.array([c[gap == d].sum() for d in distances])
    below = np.array([c[gap == -d].sum() for d in distances])
    return _symmetry(above, below)


def above_below(table: np.ndarray) -> Result:
    """Symmetry with all distances pooled: images above against images below, 1 df.

    Fails where over- and under-ageing cancel; prefer `evans_hoenig`.
    """
    c = _square(table)
    return _symmetry(np.array([np.triu(c, 1).sum()]), np.array([np.tril(c, -1).sum()]))


def stuart_maxwell(table: np.ndarray) -> Result:
    """Stuart-Maxwell test of equal margins: whether both give one class composition.

    d' V^-1 d with d the differences of the margins and V their variance under the null;
    categories that neither margin disagrees on are dropped, and with them a degree of
    freedom each. p is 1 where all images lie on the diagonal.
    """
    c = _square(table)
    used = (c.sum(axis=0) + c.sum(axis=1) - 2 * np.diag(c)) > 0
    c = c[np.ix_(used, used)]
    if not len(c):
        return Result(0, statistic=0.0, df=0, p=1.0)
    d = c.sum(axis=1) - c.sum(axis=0)
    v = np.diag(c.sum(axis=1) + c.sum(axis=0)) - c - c.T
    # Blocks of categories that exchange no images make V singular beyond the one
    # dimension lost to the total: the rank is what the table can show.
    df = int(np.linalg.matrix_rank(v))
    statistic = float(d @ np.linalg.pinv(v, hermitian=True) @ d)
    off = int(c.sum() - np.trace(c))
    return Result(
        off, statistic=statistic, df=df, p=float(stats.chi2.sf(statistic, df))
    )


def bhapkar(table: np.ndarray) -> Result:
    """Bhapkar's test of equal margins: Stuart-Maxwell with the sample's own variance.

    S / (1 - S / n), n all images; infinite where the table leaves no doubt.
    """
    first, n = stuart_maxwell(table), float(np.sum(table))
    if first.df == 0:
        return first
    left = 1 - first.statistic / n
    statistic = first.statistic / left if left > 1e-12 else np.inf
    p = float(stats.chi2.sf(statistic, first.df))
    return Result(first.n, statistic=statistic, df=first.df, p=p)


def _symmetry(above: np.ndarray, below: np.ndarray) -> Result:
    """Sum of (above - below)^2 / (above + below) over the places that hold images."""
    total = above + below
    filled = total > 0
    statistic = float(((above - below)[filled] ** 2 / total[filled]).sum())
    df = int(filled.sum())
    p = float(stats.chi2.sf(statistic, df)) if df else 1.0
    return Result(int(total.sum()), statistic=statistic, df=df, p=p)


def _square(table: np.ndarray) -> np.ndarray:
    c = np.asarray(table, dtype=float)
    if c.ndim != 2 or c.shape[0] != c.shape[1] or (c < 0).any():
        raise ValueError(f"need a square table of counts, got shape {c.shape}")
    return c
