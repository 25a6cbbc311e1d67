"""Random changes of a picture before the model's own preprocessing.

Each class may have its own: a flip that is harmless for "dancing" mirrors the text that
tells "texting" from "using a laptop".
"""

from collections.abc import Callable

from PIL import Image
from torchvision.transforms import functional

from bakeoff.finetune import sampler
from bakeoff.finetune.augment import Augmentation


def view(
    image: Image.Image, change: Augmentation, seed: int, epoch: int, index: int
) -> Image.Image:
    """The picture as image `index` is seen in `epoch`."""

    def number(stream: int) -> float:
        return float(sampler.uniform(seed, epoch, index, stream))

    if change.crop < 1:
        image = _cropped(image, change.crop, number)
    if number(sampler.FLIP) < change.flip:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if change.rotate:
        angle = change.rotate * (2 * number(sampler.ROTATION) - 1)
        image = image.rotate(angle, Image.Resampling.BILINEAR)
    if change.jitter:
        brightness = 1 + change.jitter * (2 * number(sampler.BRIGHTNESS) - 1)
        contrast = 1 + change.jitter * (2 * number(sampler.CONTRAST) - 1)
        image = functional.adjust_brightness(image, brightness)
        image = functional.adjust_contrast(image, contrast)
    return image


def _cropped(
    image: Image.Image, crop: float, number: Callable[[int], float]
) -> Image.Image:
    """A crop of the picture's own shape: its model resizes it as any other."""
    side = (crop + (1 - crop) * number(sampler.CROP)) ** 0.5
    width = max(1, round(side * image.width))
    height = max(1, round(side * image.height))
    left = int(number(sampler.PLACE_X) * (image.width - width + 1))
    top = int(number(sampler.PLACE_Y) * (image.height - height + 1))
    return image.crop((left, top, left + width, top + height))
