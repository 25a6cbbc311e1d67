"""Bootstrap, sign-flip and jackknife of most metrics, for all encoders at once.

A metric is resampled as a function of sums over images: of a per-image term (accuracy,
RMSE) or of the cells of a confusion matrix (macro recall, kappa). So one sparse matrix
of terms (features, units) per encoder, times one matrix of weights (units, replicates),
gives all metrics of all replicates; the weights are shared by all encoders, which keeps
the comparison paired. A unit is an image, or a group where images come in groups.

Of very many images, most are alike: the same true class, the same predictions. `merged`
lets one column stand for all of them. How often they are drawn is then one multinomial
number, and how many of them are exchanged a binomial one, so that the resamples have the
same distribution and their cost no longer grows with the number of images.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse, stats

from bakeoff.metrics.interface import ConfusionMetric, MeanMetric, Outcomes

# Metrics of order (AUROC, Kendall's tau, ECE) are no function of sums over images.
Summable = MeanMetric | ConfusionMetric

# Up to here every image is drawn for itself; merging must then make a tenth of them.
MANY_UNITS = 20_000
_MERGED_SHARE = 0.1
# Rows of a block of weights stay in a processor's cache.
_REPLICATES_PER_BLOCK = 256
_CELLS_PER_BLOCK = 4_000_000


@dataclass(frozen=True)
class Terms:
    """What one encoder's metrics are computed from.

    matrix: (features, units), the terms of mean metrics in their order, then the K x K
    cells of the confusion matrix where a metric needs it; sizes: (units,) images;
    times: (units,) how many equal units each one stands for, None where for itself.
    """

    matrix: sparse.csr_array
    sizes: np.ndarray
    metrics: tuple[Summable, ...]
    values: np.ndarray
    times: np.ndarray | None = None

    @property
    def units(self) -> int:
        """How many units there are, equal ones counted."""
        return len(self.sizes) if self.times is None else int(self.times.sum())

    @property
    def images(self) -> float:
        """How many images there are."""
        return float(
            self.sizes.sum() if self.times is None else self.sizes @ self.times
        )

    def sums(self) -> np.ndarray:
        """(features,) sums over all units."""
        if self.times is not None:
            return self.matrix @ self.times.astype(float)
        return np.asarray(self.matrix.sum(axis=1), dtype=float)

    def metrics_of(self, sums: np.ndarray, images: np.ndarray) -> np.ndarray:
        """(M, R) metrics from sums (features, R) over images (R,)."""
        k = len(self.values)
        means = [m for m in self.metrics if isinstance(m, MeanMetric)]
        cells = sums[len(means) :].T
        tables = cells.reshape(-1, k, k) if cells.size else cells
        rows = iter(sums[: len(means)])
        return np.stack(
            [
                metric.finish(next(rows) / images)
                if isinstance(metric, MeanMetric)
                else metric.compute(tables, self.values)
                for metric in self.metrics
            ]
        )

    def observed(self) -> np.ndarray:
        """(M,) metrics of the images as they are."""
        total = np.array([self.images])
        return self.metrics_of(self.sums()[:, None], total)[:, 0]


def terms_of(
    outcomes: Outcomes, metrics: Sequence[Summable], groups: np.ndarray | None = None
) -> Terms:
    """The terms of one encoder's outcomes.

    groups: (n,) labels of what is resampled whole; without, the units are images. All
    encoders of a comparison must be given the same images in the same order.
    """
    n = len(outcomes.y_true)
    blocks: list[sparse.csr_array] = [
        sparse.csr_array(np.asarray(m.terms(outcomes), dtype=float)[None, :])
        for m in metrics
        if isinstance(m, MeanMetric)
    ]
    if len(blocks) < len(metrics):
        k = outcomes.n_classes
        cell = outcomes.y_true * k + outcomes.y_pred
        blocks.append(
            sparse.csr_array((np.ones(n), (cell, np.arange(n))), shape=(k * k, n))
        )
    matrix = sparse.csr_array(sparse.vstack(blocks, format="csr"))
    sizes = np.ones(n)
    if groups is not None:
        _, code = np.unique(np.asarray(groups), return_inverse=True)
        member = sparse.csr_array((np.ones(n), (np.arange(n), code)))
        matrix, sizes = matrix @ member, np.bincount(code).astype(float)
    return Terms(matrix, sizes, tuple(metrics), outcomes.values)


def merged(encoders: Sequence[Terms]) -> list[Terms]:
    """The encoders' terms, units that are equal in every encoder merged into one.

    Given back as they are where there are few units, or few that are equal, and where
    units are groups.
    """
    n = len(encoders[0].sizes)
    code = np.zeros(n, dtype=np.int64)
    if n <= MANY_UNITS or (encoders[0].sizes != 1).any():
        return list(encoders)
    for kind in (kind for encoder in encoders for kind in _kinds(encoder)):
        _, code = np.unique(code * (kind.max() + 1) + kind, return_inverse=True)
        if code.max() >= _MERGED_SHARE * n:
            return list(encoders)
    _, first, times = np.unique(code, return_index=True, return_counts=True)
    return [
        replace(e, matrix=e.matrix[:, first], sizes=e.sizes[first], times=times)
        for e in encoders
    ]


def _kinds(encoder: Terms) -> Iterator[np.ndarray]:
    """(units,) whole numbers that tell images with different terms apart."""
    means = sum(isinstance(metric, MeanMetric) for metric in encoder.metrics)
    for row in range(means):
        values = encoder.matrix[[row]].toarray().ravel()
        yield np.unique(values, return_inverse=True)[1]
    if means < encoder.matrix.shape[0]:
        # One cell of the confusion matrix per image.
        yield encoder.matrix[means:].tocsc().indices.astype(np.int64)


def bootstrap(
    encoders: Sequence[Terms], replicates: int, rng: np.random.Generator
) -> np.ndarray:
    """(E, M, R) metrics of resamples of the units with replacement.

    The same resamples for every encoder: the difference of two rows is a paired
    bootstrap. A metric may be NaN in a resample that leaves it undefined.
    """
    blocks = []
    for size in _block_sizes(encoders, replicates):
        weights = _draws(encoders[0], size, rng)
        images = encoders[0].sizes @ weights
        blocks.append(
            np.stack([e.metrics_of(e.matrix @ weights, images) for e in encoders])
        )
    return np.concatenate(blocks, axis=2)


def sign_flip(
    encoders: Sequence[Terms],
    pairs: Sequence[tuple[int, int]],
    replicates: int,
    rng: np.random.Generator,
    *,
    magnitude: np.ndarray | None = None,
) -> np.ndarray:
    """(P, M) two-sided permutation p of every pair and metric.

    In each replicate the two encoders of a pair exchange their predictions on a random
    half of the units (the same ones for all pairs); p = (1 + replicates at least as far
    from zero as observed) / (replicates + 1). magnitude: (M,) bool, metrics compared by
    absolute value (their best value is zero). For accuracy this is the exact McNemar
    test up to Monte-Carlo error.
    """
    absolute = (
        np.zeros(len(encoders[0].metrics), bool) if magnitude is None else magnitude
    )
    gaps = [encoders[b].matrix - encoders[a].matrix for a, b in pairs]
    sums = [e.sums()[:, None] for e in encoders]
    observed = [_gap(encoders[a], sums[a], sums[b], absolute)[:, 0] for a, b in pairs]
    far = np.zeros((len(pairs), len(absolute)))
    for size in _block_sizes(encoders, replicates):
        chosen = _chosen(encoders[0], size, rng)
        for row, (a, b) in enumerate(pairs):
            moved = gaps[row] @ chosen
            stat = _gap(encoders[a], sums[a] + moved, sums[b] - moved, absolute)
            # Equal statistics may differ in their last digits.
            bound = np.abs(observed[row])[:, None] * (1 - 1e-9) - 1e-12
            # An undefined statistic counts as far: it must not lower p.
            far[row] += (~(np.abs(stat) < bound)).sum(axis=1)
    p = (far + 1) / (replicates + 1)
    return np.where(np.isfinite(np.array(observed)), p, np.nan)


def jackknife(encoders: Sequence[Terms]) -> np.ndarray:
    """(E, M, U) metrics with each unit left out in turn; once of units that are equal."""
    total = encoders[0].images
    values = []
    for encoder in encoders:
        whole, columns, parts = encoder.sums()[:, None], encoder.matrix.tocsc(), []
        width = max(1, _CELLS_PER_BLOCK // len(whole))
        for start in range(0, len(encoder.sizes), width):
            part = slice(start, start + width)
            left = whole - columns[:, part].toarray()
            parts.append(encoder.metrics_of(left, total - encoder.sizes[part]))
        values.append(np.concatenate(parts, axis=1))
    return np.stack(values)


def jackknife_error(
    left_out: np.ndarray, times: np.ndarray | None = None
) -> np.ndarray:
    """Delete-one standard error over the last axis: sqrt((U - 1)/U sum (x - mean)^2).

    times: (U,) how many equal units each one stands for. Steadier than the bootstrap for
    macro recall and kappa where a class has fewer than about ten images. Efron & Stein
    (1981).
    """
    x = np.asarray(left_out, dtype=float)
    if times is None:
        return np.sqrt((x.shape[-1] - 1) * x.var(axis=-1))
    units = times.sum()
    mean = (x @ times / units)[..., None]
    return np.sqrt((units - 1) * ((x - mean) ** 2 @ times) / units)


def percentile_interval(
    replicates: np.ndarray, confidence: float = 0.95, units: int | None = None
) -> tuple[float, float]:
    """Percentile interval of replicates (R,); NaN ones are left out.

    units: how many were resampled, where they are few. The interval then reaches as
    far as Student's t with units - 1 degrees of freedom, and makes up for resamples
    varying too little by (units - 1) / units: the expanded percentile interval of
    Hesterberg (2015), The American Statistician 69:371.
    """
    tail = (1 - confidence) / 2
    if units is not None:
        reach = stats.t.isf(tail, units - 1) * np.sqrt(units / (units - 1))
        tail = float(stats.norm.sf(reach))
    low, high = np.nanquantile(replicates, [tail, 1 - tail])
    return float(low), float(high)


def _gap(
    terms: Terms, sums_a: np.ndarray, sums_b: np.ndarray, absolute: np.ndarray
) -> np.ndarray:
    images = np.full(sums_a.shape[1], terms.images)
    a, b = terms.metrics_of(sums_a, images), terms.metrics_of(sums_b, images)
    return np.where(absolute[:, None], np.abs(a) - np.abs(b), a - b)


def _draws(terms: Terms, size: int, rng: np.random.Generator) -> np.ndarray:
    """(units, size) how often each unit is drawn in as many draws, per replicate."""
    if terms.times is not None:
        n = terms.units
        return rng.multinomial(n, terms.times / n, size).T.astype(float)
    units = len(terms.sizes)
    drawn = rng.integers(0, units, (units, size))
    drawn *= size
    drawn += np.arange(size)
    counts = np.bincount(drawn.ravel(), minlength=units * size)
    return counts.reshape(units, size).astype(float)


def _chosen(terms: Terms, size: int, rng: np.random.Generator) -> np.ndarray:
    """(units, size) how many of each are in a random half, per replicate."""
    if terms.times is not None:
        shape = (len(terms.times), size)
        return rng.binomial(terms.times[:, None], 0.5, shape).astype(float)
    return rng.integers(0, 2, (len(terms.sizes), size), dtype=np.int8).astype(float)


def _block_sizes(encoders: Sequence[Terms], replicates: int) -> Iterator[int]:
    widest = max(1, max(encoders[0].matrix.shape))
    block = max(1, min(_REPLICATES_PER_BLOCK, _CELLS_PER_BLOCK // widest))
    for start in range(0, replicates, block):
        yield min(block, replicates - start)
