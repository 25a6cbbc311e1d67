"""A drawing put into a varied scene, so that a set of drawings is like a photo folder.

What varies from scene to scene: background (colours, texture, clutter), place, size,
rotation and mirroring of the drawing, things in front of it, light, blur and sensor
noise. Everything is drawn from the generator that is passed in.
"""

import io
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw, ImageFilter


@dataclass(frozen=True)
class Variation:
    """How much scenes vary; lengths are shares of the side of the picture.

    scale: drawing's side; rotation: largest angle in degrees; clutter: largest number
    of shapes behind the drawing; occluders: largest number in front of it; light:
    largest relative change of brightness and contrast; fade: largest share of the
    background that shows through the drawing; blur: largest radius; noise: largest
    standard deviation of the sensor noise, in grey levels.
    """

    scale: tuple[float, float] = (0.6, 1.0)
    rotation: float = 15.0
    clutter: int = 5
    occluders: int = 1
    light: float = 0.25
    fade: float = 0.25
    blur: float = 0.008
    noise: float = 14.0

    def weaker(self, strength: float) -> "Variation":
        """These variations at `strength`: 0 leaves a large plain drawing, 1 all."""
        low, high = self.scale
        return replace(
            self,
            scale=(high - strength * (high - low), high),
            rotation=strength * self.rotation,
            clutter=round(strength * self.clutter),
            occluders=round(strength * self.occluders),
            light=strength * self.light,
            fade=strength * self.fade,
            blur=strength * self.blur,
            noise=strength * self.noise,
        )


FULL = Variation()


def compose(
    drawing: Image.Image,
    rng: np.random.Generator,
    size: int,
    variation: Variation = FULL,
) -> Image.Image:
    """The RGBA `drawing` in a random scene: an RGB picture of size x size pixels."""
    scene = _background(rng, size)
    _shapes(scene, rng, int(rng.integers(variation.clutter + 1)), 0.5)
    _paste(scene, drawing, rng, variation)
    _shapes(scene, rng, int(rng.integers(variation.occluders + 1)), 0.22)
    return _photograph(scene, rng, variation)


def jpeg(
    picture: Image.Image, rng: np.random.Generator, quality: tuple[int, int] = (35, 90)
) -> bytes:
    """The picture as the bytes of a JPEG file, of a quality between the two given."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=int(rng.integers(quality[0], quality[1] + 1)))
    return file.getvalue()


def _background(rng: np.random.Generator, size: int) -> Image.Image:
    """Colours on a coarse grid, blown up: 2 nodes make a gradient, many a texture."""
    nodes = (2, 2, 3, 5, 9, 17)[rng.integers(6)]
    colour = rng.uniform(30, 225, 3)
    light, tint = rng.uniform(3, 40), rng.uniform(2, 20)
    grid = colour + rng.normal(0, light, (nodes, nodes, 1))
    grid = grid + rng.normal(0, tint, (nodes, nodes, 3))
    patch = Image.fromarray(np.clip(grid, 0, 255).astype(np.uint8))
    smooth = rng.random() < 0.8
    method = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    return patch.resize((size, size), method)


def _shapes(
    scene: Image.Image, rng: np.random.Generator, count: int, largest: float
) -> None:
    """Draw `count` ellipses, polygons and strokes, up to `largest` wide."""
    draw = ImageDraw.Draw(scene)
    size = scene.width
    for _ in range(count):
        colour = tuple(int(level) for level in rng.integers(0, 256, 3))
        radius = rng.uniform(0.03, largest / 2) * size
        centre = rng.uniform(0, size, 2)
        corners = centre + rng.uniform(-radius, radius, (rng.integers(3, 6), 2))
        kind = rng.integers(3)
        if kind == 0:
            draw.ellipse([*(centre - radius), *(centre + radius)], fill=colour)
        elif kind == 1:
            draw.polygon([tuple(corner) for corner in corners], fill=colour)
        else:
            width = int(rng.integers(1, 2 + size // 32))
            draw.line([tuple(corner) for corner in corners], fill=colour, width=width)


def _paste(
    scene: Image.Image,
    drawing: Image.Image,
    rng: np.random.Generator,
    variation: Variation,
) -> None:
    """Put the drawing somewhere inside the scene: mirrored or not, turned, scaled."""
    side = round(rng.uniform(*variation.scale) * scene.width)
    angle = rng.uniform(-variation.rotation, variation.rotation)
    if rng.random() < 0.5:
        drawing = drawing.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    small = drawing.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    turned = small.rotate(angle, Image.Resampling.BILINEAR)
    opacity = 1 - variation.fade * rng.random()
    alpha = turned.getchannel("A").point(lambda level: int(level * opacity))
    corner = rng.integers(0, scene.width - side + 1, 2)
    scene.paste(turned.convert("RGB"), (int(corner[0]), int(corner[1])), alpha)


def _photograph(
    scene: Image.Image, rng: np.random.Generator, variation: Variation
) -> Image.Image:
    """The scene under random light, out of focus by a little, with sensor noise."""
    scene = scene.filter(
        ImageFilter.GaussianBlur(rng.uniform(0, variation.blur) * scene.width)
    )
    light, centre = rng.uniform(-variation.light, variation.light, 2)
    noise = rng.standard_normal((scene.height, scene.width, 3), np.float32)
    noise *= np.float32(rng.uniform(0, variation.noise))
    pixels = (np.asarray(scene, np.float32) - 128) * np.float32(1 + light)
    pixels += noise + np.float32(128 * (1 + centre))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
