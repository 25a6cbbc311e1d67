"""Standard errors of a mean difference over runs that share their images.

d (R, n) holds what each of n images contributes to the difference of two methods in each
of R repeats (or draws): for accuracy 1, 0 or -1, for other metrics the image's influence
(`metrics.influence`). A row's mean is the difference in that repeat; NaN marks images
that were not tested in it. A unit is an image, or a group where images come in groups.

Runs share test images, training images or both, so their means are no independent
sample, and the variance is built from the units instead.

    a      variance of one repeat's mean if its units were independent
    reuse  images that take part / images that one run trains on

`reuse` times a stands for the training images, which are the same units once more: an
image moves a result when it is trained on about as much as when it is tested. Nadeau &
Bengio (2003) add the same term; they take a from the means of the J runs, with J - 1
degrees of freedom. Taking it from the units lets k folds, groups and repeats do without
rules of their own.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bakeoff.stats.student import Estimate


@dataclass(frozen=True)
class Layout:
    """How the runs of a protocol share their images.

    kind: `folds`, each image tested once per repeat; `holdout`, every draw with test
    images of its own; `crossed`, few-shot draws that are tested on the same images;
    `drawn`, few-shot draws that are tested on all that were not drawn. images: how many
    take part; reuse: mean over runs of images / training images; passes: how often an
    image is tested on average; fraction: of few-shot draws, training images of a draw /
    images that it is drawn from.
    """

    kind: Literal["folds", "holdout", "crossed", "drawn"]
    images: int
    reuse: float
    passes: float
    fraction: float = 0.0


def over_runs(
    value: float,
    d: np.ndarray,
    units: np.ndarray,
    layout: Layout,
    *,
    smooth: bool = False,
    refitted: float | None = None,
) -> Estimate:
    """The difference `value` with the error that the layout of its runs asks for.

    units: (n,) numbers; value: the difference as it is printed. smooth: whether the
    metric comes from what a fit predicts before it is rounded to classes; refitted:
    variance of the value by refits without each unit, where the method allows them.
    Few-shot draws show the influence of training images by themselves, so `smooth` changes
    nothing there.
    """
    if layout.kind in ("crossed", "drawn"):
        few_shot = {"crossed": crossed, "drawn": drawn}[layout.kind]
        return few_shot(value, d, units, layout.fraction)
    plain = {"folds": over_folds, "holdout": over_holdouts}[layout.kind]
    if not smooth:
        return plain(value, d, units, layout)
    return bounded(value, d, units, layout, refitted)


def variance_of_mean(d: np.ndarray, units: np.ndarray) -> float:
    """Variance of the mean of d (n,) with independent units, numbers (n,).

    G / (G - 1) sum_g (sum of the deviations of unit g from the mean)^2 / n^2: s^2 / n
    where every image is its own unit, the ratio estimator of cluster sampling otherwise.
    Images that are NaN are left out; NaN with fewer than two units.
    """
    here = np.isfinite(d)
    x, codes = d[here], units[here]
    if not len(x):
        return float("nan")
    held = np.bincount(codes) > 0
    g = int(held.sum())
    if g < 2:
        return float("nan")
    sums = np.bincount(codes, x - x.mean())[held]
    return float(g / (g - 1) * (sums**2).sum() / len(x) ** 2)


def over_folds(
    value: float, d: np.ndarray, units: np.ndarray, layout: Layout
) -> Estimate:
    """Estimate over k folds, repeated R times; every image is tested once per repeat.

        error^2 = a (1/R + reuse) + v deff,  df = units - 1

    a: mean over the repeats; v: variance (n - 1) of the repeats' means, 0 for one
    repeat, which shows a part of how much a method varies with its training images;
    deff: a over the same a if every image were a unit, at least 1: groups multiply that
    part as they multiply a. All of it changes continuously from single images to groups.
    """
    a = _mean_variance(d, units)
    alone = _mean_variance(d, np.arange(d.shape[1]))
    v = float(d.mean(axis=1).var(ddof=1)) if len(d) > 1 else 0.0
    deff = max(1.0, a / alone) if alone > 0 else 1.0
    variance = a * (1 / len(d) + layout.reuse) + v * deff
    return _estimate(value, d, variance, _tested(d, units))


def over_holdouts(
    value: float, d: np.ndarray, units: np.ndarray, layout: Layout
) -> Estimate:
    """Estimate over R draws, each with test images of its own, NaN elsewhere.

        error^2 = a (max(1, 1/P) + reuse),  df = units tested - 1

    a: as if all units had been tested; P: passes, how often an image is tested. Draws
    beyond one pass steady the mean, but tell nothing more of the images.
    """
    variance = _whole_variance(d, units, layout) * (_passed(layout) + layout.reuse)
    return _estimate(value, d, variance, _tested(d, units))


def bounded(
    value: float,
    d: np.ndarray,
    units: np.ndarray,
    layout: Layout,
    refitted: float | None = None,
) -> Estimate:
    """Estimate of a metric of what a fit predicts before it is rounded to classes.

        error^2 = min(refitted, a (max(1, 1/P) + 3)),  df = units tested - 1

    An image's influence as training image adds to its influence as test image, with the
    same sign, and runs of the same images never show it. Where the influence of i on the
    prediction of j equals that of j on i, as in every kernel method, the first is at most
    as large as the second, so the variance is at most 4 a. Refits without each unit
    (`probes.refits`) are exact up to a bias upwards (Efron & Stein 1981), so the smaller
    of the two is taken.
    """
    variance = _whole_variance(d, units, layout) * (_passed(layout) + 3)
    if refitted is not None:
        variance = min(variance, refitted)
    return _estimate(value, d, variance, _tested(d, units))


def crossed(
    value: float, d: np.ndarray, units: np.ndarray, fraction: float
) -> Estimate:
    """Estimate over R draws of training images from a pool, tested on given images.

    Images and draws are crossed random effects:

        error^2 = V_i + T (1/R + f / (1 - f)),  T = max(0, V_r - noise)

    V_i: variance of the mean over the units, from each image's mean over the draws; V_r:
    variance (n - 1) of the draws' effects; noise: the part of V_r that comes from images
    and draws together; f, `fraction`: training images of a draw / images of the pool.
    Draws from a finite pool vary less than draws from the world: f / (1 - f) is the
    variance of a pool against that of a draw without replacement, exact for a mean.
    Degrees of freedom by Satterthwaite.
    """
    parts = _crossed_parts(d, units, fraction)
    return _estimate(value, d, parts.variance, parts.units, parts.df)


def drawn(value: float, d: np.ndarray, units: np.ndarray, fraction: float) -> Estimate:
    """Estimate over R draws of training images, tested on all that were not drawn.

        error^2 = (sqrt(V_i) + sqrt(T f / (1 - f)))^2 + T / R

    As `crossed`, but the pool's images are those that are tested as well: their influence
    in training and in test may vary together, and the deviation of a sum is at most the
    sum of the deviations. The degrees of freedom are those of `crossed`.
    """
    parts = _crossed_parts(d, units, fraction)
    pool = parts.training * fraction / (1 - fraction)
    variance = (np.sqrt(parts.images) + np.sqrt(pool)) ** 2 + parts.training / len(d)
    return _estimate(value, d, float(variance), parts.units, parts.df)


@dataclass(frozen=True)
class _CrossedParts:
    """V_i, T, V_r and 1/R + f / (1 - f) of `crossed`, and how many units and draws."""

    images: float
    training: float
    draws: float
    weight: float
    units: int
    repeats: int

    @property
    def variance(self) -> float:
        return self.images + self.weight * self.training

    @property
    def df(self) -> float:
        """Satterthwaite: V_i has units - 1 degrees of freedom, V_r has R - 1."""
        of_images = self.images**2 / (self.units - 1)
        of_draws = (self.weight * self.draws) ** 2 / (self.repeats - 1)
        if of_images + of_draws == 0:
            return self.units - 1.0
        return max(1.0, self.variance**2 / (of_images + of_draws))


def _crossed_parts(d: np.ndarray, units: np.ndarray, fraction: float) -> _CrossedParts:
    images = np.nanmean(d, axis=0)
    effects = np.nanmean(d - images, axis=1)
    rest, r = d - images - effects[:, None], len(d)
    noise = _mean_variance(rest, units) * r / (r - 1)
    draws = float(effects.var(ddof=1))
    return _CrossedParts(
        variance_of_mean(images, units),
        max(0.0, draws - noise),
        draws,
        1 / r + fraction / (1 - fraction),
        _tested(d, units),
        r,
    )


def _mean_variance(d: np.ndarray, units: np.ndarray) -> float:
    return float(np.mean([variance_of_mean(row, units) for row in d]))


def _whole_variance(d: np.ndarray, units: np.ndarray, layout: Layout) -> float:
    """Mean over the repeats of variance x images tested / images that take part."""
    shares = np.isfinite(d).sum(axis=1) / layout.images
    variances = [variance_of_mean(row, units) for row in d]
    return float(np.mean(np.multiply(variances, shares)))


def _passed(layout: Layout) -> float:
    return max(1.0, 1 / layout.passes)


def _tested(d: np.ndarray, units: np.ndarray) -> int:
    """Units that are tested in any repeat."""
    return len(np.unique(units[np.isfinite(d).any(axis=0)]))


def _estimate(
    value: float, d: np.ndarray, variance: float, units: int, df: float | None = None
) -> Estimate:
    """Zero error where all contributions are equal: rounding alone is no variance."""
    error = float(np.sqrt(variance))
    if error <= 1e-12 * np.nanmax(np.abs(d)):
        error = 0.0
    return Estimate(value, error, units - 1.0 if df is None else df, units)
