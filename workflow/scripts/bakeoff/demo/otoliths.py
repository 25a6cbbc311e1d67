"""Synthetic otoliths: growth-ring images of known ring counts, read with an error.

Nothing here is a photograph of a fish's ear bone. What is imitated: light growth zones
and thin dark winter rings round a nucleus, ring distances that shrink with age and
differ between individuals, an uneven outline, false rings, several otoliths to a slide
that share its light, tint and focus, and a reader who now and then counts one ring too
many or too few.
"""

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from bakeoff.demo.files import replaced_folder, sha256, write_csv
from bakeoff.demo.scenes import jpeg

OLDEST = 10  # stands for itself and all older ages
PER_SLIDE = 18
# Cod otoliths by read age, 1 to 17 (github.com/joaosMart/otolith-cod).
COD = np.array(
    [110, 223, 348, 768, 1695, 1941, 1477, 927, 736, 220, 79, 50, 26, 17, 11, 7, 2]
)


@dataclass(frozen=True)
class Slide:
    """What the otoliths of one slide share.

    contrast: of the rings; light: (2,) brightness gradient across the picture, x and y;
    tint: (3,) multipliers of red, green and blue; focus: standard deviation of the blur
    as a share of the picture's side; background: grey level in [0, 1].
    """

    contrast: float
    light: np.ndarray
    tint: np.ndarray
    focus: float
    background: float


def write_otoliths(
    folder: Path, listing: Path, *, seed: int, n: int = 1170, size: int = 128
) -> None:
    """Write n synthetic otoliths below `folder` and their `listing`.

    Images are `folder`/slide_<s>/otolith_<i>.jpg, `size` pixels wide and high. The
    listing is a CSV of path (relative to `folder`), label (the read age, 1 to 10),
    group (the slide) and sha256. Both are the same bytes for the same arguments. An
    earlier `folder` is replaced as a whole.
    """
    rng = np.random.default_rng([seed, 0])
    ages = rng.permutation(np.repeat(np.arange(1, OLDEST + 1), age_counts(n)))
    rows = []
    with replaced_folder(folder) as new:
        for index, age in enumerate(ages):
            group = f"slide_{index // PER_SLIDE:03d}"
            slide = _slide(np.random.default_rng([seed, 1, index // PER_SLIDE]))
            own = np.random.default_rng([seed, 2, index])
            picture = draw_otolith(ring_count(int(age), own), slide, own, size)
            path = Path(group, f"otolith_{index:04d}.jpg")
            (new / path).parent.mkdir(parents=True, exist_ok=True)
            (new / path).write_bytes(jpeg(picture, own, (70, 95)))
            rows.append(
                {
                    "path": path.as_posix(),
                    "label": int(age),
                    "group": group,
                    "sha256": sha256(new / path),
                }
            )
    write_csv(listing, rows)


def age_counts(n: int) -> np.ndarray:
    """(10,) numbers of otoliths read as age 1 to 10, of n in all.

    The shares of the cod, all older than 10 counted as 10; rounded by the method of
    largest remainders, so that they add up to n.
    """
    merged = np.append(COD[: OLDEST - 1], COD[OLDEST - 1 :].sum())
    exact = n * merged / merged.sum()
    counts = np.floor(exact).astype(int)
    short = n - counts.sum()
    counts[np.argsort(counts - exact, kind="stable")[:short]] += 1
    return counts


def misread(age: int) -> float:
    """Probability that an otolith read as `age` has one ring more or one fewer.

    # ASSUME reading errors are one ring, either way alike, and grow from 8 % at age 1
    # to 26 % at age 10: late rings lie close together.
    """
    return 0.06 + 0.02 * age


def ring_count(age: int, rng: np.random.Generator) -> int:
    """The number of rings of an otolith read as `age`; never less than one.

    An otolith read as 10 may be older: its age is drawn from the cod of 10 to 17 years.
    """
    if age == OLDEST:
        tail = COD[OLDEST - 1 :]
        age = OLDEST + int(rng.choice(len(tail), p=tail / tail.sum()))
    error = int(rng.choice([-1, 1])) if rng.random() < misread(min(age, OLDEST)) else 0
    return max(1, age + error)


def draw_otolith(
    rings: int, slide: Slide, rng: np.random.Generator, size: int
) -> Image.Image:
    """An RGB picture, size x size pixels, of an otolith with `rings` rings."""
    radii = _radii(rings, rng)  # (rings + 1,), the last one is the edge
    distance, angle = _growth_coordinates(rng, size)
    grey = np.full((size, size), slide.background)
    inside = 1 / (1 + np.exp((distance - radii[-1]) * size / 1.5))
    grey += inside * (_body(distance, angle, radii, slide, rng) - grey)
    return _photograph(grey, slide, rng)


def _slide(rng: np.random.Generator) -> Slide:
    return Slide(
        contrast=rng.uniform(0.16, 0.4),
        light=rng.uniform(-0.25, 0.25, 2),
        tint=rng.uniform(0.82, 1.05, 3),
        focus=rng.uniform(0.002, 0.009),
        background=rng.uniform(0.03, 0.3),
    )


def _radii(rings: int, rng: np.random.Generator) -> np.ndarray:
    """Distances of the rings from the nucleus and, last, of the edge.

    Lengths are shares of the picture's side. Von Bertalanffy growth, R(t) = L (1 -
    exp(-k t)), whose limit L and rate k differ between individuals, with every year's
    increment varied by about a sixth. The edge lies in the year after the last ring.
    """
    limit = 0.47 * np.exp(rng.normal(0, 0.07))
    rate = 0.2 * np.exp(rng.normal(0, 0.14))
    years = np.arange(rings + 2)
    increments = np.diff(limit * (1 - np.exp(-rate * years)))
    increments *= np.exp(rng.normal(0, 0.16, rings + 1))
    increments[-1] *= rng.uniform(0.25, 0.9)
    return np.cumsum(increments)


def _growth_coordinates(
    rng: np.random.Generator, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """(size, size) distance from the nucleus, stretched to one outline, and angle.

    All points of a ring have one distance, though the outline is an uneven ellipse.
    """
    axis = (np.arange(size) + 0.5) / size - 0.5
    x, y = axis[None, :] + rng.normal(0, 0.012), axis[:, None] + rng.normal(0, 0.012)
    angle = np.arctan2(y, x) + rng.normal(0, 0.2)
    flatness = rng.uniform(0.6, 0.8)
    outline = flatness / np.hypot(flatness * np.cos(angle), np.sin(angle))
    for wave in range(2, 9):
        phase = rng.uniform(0, 2 * np.pi)
        outline *= 1 + rng.normal(0, 0.045 / wave) * np.cos(wave * angle + phase)
    return np.hypot(x, y) / outline, angle


def _body(
    distance: np.ndarray,
    angle: np.ndarray,
    radii: np.ndarray,
    slide: Slide,
    rng: np.random.Generator,
) -> np.ndarray:
    """(size, size) grey levels of the otolith: growth zones, rings and false rings."""
    grey = 0.72 - 0.25 * np.exp(-((distance / 0.03) ** 2))
    grey = grey + 0.06 * _cloud(rng, len(distance), 12) - 0.15 * distance
    for radius in radii[:-1]:
        depth = slide.contrast * rng.uniform(0.6, 1.15)
        grey -= depth * _ring(distance, angle, radius, 0.25, rng)
    for inner, outer in itertools.pairwise(radii):
        if rng.random() < 0.15:  # a false ring: fainter, and broken
            radius = rng.uniform(inner, outer)
            grey -= slide.contrast * 0.5 * _ring(distance, angle, radius, 0.9, rng)
    return grey


def _ring(
    distance: np.ndarray,
    angle: np.ndarray,
    radius: float,
    unevenness: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """(size, size) darkness in [0, 1] of a ring, uneven along its way."""
    width = rng.uniform(0.005, 0.009)
    waves = np.cos(rng.integers(1, 4) * angle + rng.uniform(0, 2 * np.pi))
    strength = 1 - unevenness * (0.5 + 0.5 * waves)
    return strength * np.exp(-0.5 * ((distance - radius) / width) ** 2)


def _cloud(rng: np.random.Generator, size: int, scale: int) -> np.ndarray:
    """(size, size) smooth noise of unit variance, with patches `scale` to the side."""
    noise = ndimage.gaussian_filter(rng.standard_normal((size, size)), size / scale / 2)
    return noise / noise.std()


def _photograph(
    grey: np.ndarray, slide: Slide, rng: np.random.Generator
) -> Image.Image:
    """The picture under the slide's light, tint and focus, with sensor noise."""
    size = len(grey)
    axis = np.linspace(-0.5, 0.5, size)
    light = 1 + slide.light[0] * axis[None, :] + slide.light[1] * axis[:, None]
    grey = ndimage.gaussian_filter(grey, slide.focus * size) * light
    pixels = 255 * (grey[:, :, None] * slide.tint)
    pixels += rng.normal(0, rng.uniform(2, 9), pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
