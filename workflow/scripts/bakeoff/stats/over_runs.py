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
Bengio (2003) add the same term; they take a from the means of the runs (J - 1 degrees of
freedom), we take it from the units, so that k folds, groups and repeats need no rules of
their own.
"""

from dataclasses import dataclass

import numpy as np

from bakeoff.stats.student import Estimate


@dataclass(frozen=True)
class Overlap:
    """How much the runs of a protocol share.

    reuse: mean over runs of images that take part / training images; passes: how often
    an image is tested on average; images, units: how many take part.
    """

    reuse: float
    passes: float
    images: int
    units: int


def variance_of_mean(d: np.ndarray, units: np.ndarray) -> float:
    """Variance of the mean of d (n,) with independent units, unit numbers (n,).

    G / (G - 1) sum_g (sum of the deviations of unit g from the mean)^2 / n^2: s^2 / n
    where every image is its own unit, the ratio estimator of cluster sampling otherwise.
    Images that are NaN are left out; NaN with fewer than two units.
    """
    here = np.isfinite(d)
    x, codes = d[here], units[here]
    sizes = np.bincount(codes)
    held = sizes > 0
    g = int(held.sum())
    if g < 2:
        return float("nan")
    sums = np.bincount(codes, x - x.mean())[held]
    return float(g / (g - 1) * (sums**2).sum() / len(x) ** 2)


def over_folds(
    value: float, d: np.ndarray, units: np.ndarray, overlap: Overlap
) -> Estimate:
    """Estimate over k folds, repeated R times; every image is tested once per repeat.

        error^2 = a (1/R + reuse) + v deff,  df = units - 1

    a: mean over the repeats; v: variance (n - 1) of the repeats' means, 0 for one
    repeat, a part of how much a method varies with what it was trained on; deff: a over
    the same a if every image were a unit, at least 1, since v sees the images of a group
    go separate ways only as far as the folds let them. It changes continuously from
    single images to groups.
    """
    a = _mean_variance(d, units)
    alone = _mean_variance(d, np.arange(d.shape[1]))
    v = float(d.mean(axis=1).var(ddof=1)) if len(d) > 1 else 0.0
    deff = max(1.0, a / alone) if alone > 0 else 1.0
    variance = a * (1 / len(d) + overlap.reuse) + v * deff
    return _estimate(value, d, variance, overlap.units)


def over_holdouts(
    value: float, d: np.ndarray, units: np.ndarray, overlap: Overlap
) -> Estimate:
    """Estimate over R draws, each with test images of its own, NaN elsewhere.

        error^2 = a (max(1, 1/P) + reuse),  df = units tested - 1

    a: as if all units had been tested; P: passes, how often an image is tested. More
    draws than one pass steady the mean, but tell nothing more of the images.
    """
    a = _scaled_variance(d, units, overlap)
    tested = len(np.unique(units[np.isfinite(d).any(axis=0)]))
    variance = a * (max(1.0, 1 / overlap.passes) + overlap.reuse)
    return _estimate(value, d, variance, tested)


def bounded(
    value: float, d: np.ndarray, units: np.ndarray, overlap: Overlap
) -> Estimate:
    """The same, for metrics of what a fit predicts before it is rounded to classes.

        error^2 = a (max(1, 1/P) + 3)

    An image's influence as training image adds up with its influence as test image, with
    the same sign, and the same images in every run never show it. Where the influence of
    i on the prediction of j equals that of j on i (any kernel method), both are at most
    equal, so the variance is at most 4 a. Never less than the formula for classes.
    """
    folds = not np.isnan(d).any()
    plain = (over_folds if folds else over_holdouts)(value, d, units, overlap)
    a = _scaled_variance(d, units, overlap)
    variance = a * (max(1.0, 1 / overlap.passes) + 3)
    return _estimate(value, d, max(variance, plain.error**2), plain.units)


def crossed(
    value: float, d: np.ndarray, units: np.ndarray, fraction: float
) -> Estimate:
    """Estimate over R draws of training images, tested on the same images each time.

    Images and draws are crossed random effects:

        error^2 = V_i + max(0, V_r - noise) (1/R + f / (1 - f))

    V_i: variance of the mean over the units, from each image's mean over the draws; V_r:
    variance (n - 1) of the draws' effects; noise: the part of V_r that images'
    interactions with draws make; f, `fraction`: training images of a draw / images that
    it is drawn from. Draws from a finite pool vary less than draws from the world:
    f / (1 - f) is the variance of a pool against that of a draw without replacement,
    exact for a mean. Degrees of freedom by Satterthwaite, from (units - 1, R - 1).
    """
    images = np.nanmean(d, axis=0)
    effects = np.nanmean(d - images, axis=1)
    rest = d - images - effects[:, None]
    r, n = len(d), len(np.unique(units))
    noise = np.mean([variance_of_mean(row, units) for row in rest]) * r / (r - 1)
    of_images = variance_of_mean(images, units)
    of_draws = max(0.0, float(effects.var(ddof=1)) - float(noise))
    of_draws *= 1 / r + fraction / (1 - fraction)
    variance = of_images + of_draws
    parts = of_images**2 / (n - 1) + of_draws**2 / (r - 1)
    df = variance**2 / parts if parts > 0 else float(n - 1)
    return _estimate(value, d, variance, n, df)


def _mean_variance(d: np.ndarray, units: np.ndarray) -> float:
    return float(np.mean([variance_of_mean(row, units) for row in d]))


def _scaled_variance(d: np.ndarray, units: np.ndarray, overlap: Overlap) -> float:
    """Mean over the repeats of variance times units tested / units in all."""
    shares = [len(np.unique(units[np.isfinite(row)])) / overlap.units for row in d]
    variances = [variance_of_mean(row, units) for row in d]
    return float(np.mean(np.multiply(variances, shares)))


def _estimate(
    value: float,
    d: np.ndarray,
    variance: float,
    units: int,
    df: float | None = None,
) -> Estimate:
    """Zero error where all contributions are equal: rounding alone is no variance."""
    error = float(np.sqrt(variance))
    if error <= 1e-12 * np.nanmax(np.abs(d)):
        error = 0.0
    return Estimate(value, error, units - 1 if df is None else df, units)
