"""Random changes of a picture before the model's own preprocessing.

Each class may have its own: a flip that is harmless for "dancing" mirrors the text that
tells "texting" from "using a laptop".
"""

from dataclasses import dataclass

from PIL import Image
from torchvision.transforms import functional

from bakeoff.finetune import sampler


@dataclass(frozen=True)
class Augmentation:
    """How far a picture may change; all zeros and ones: not at all.

    `crop` is the smallest share of the area that a random crop keeps, `flip` the
    probability of a left-right flip, `rotate` the largest angle in degrees, `jitter`
    the largest relative change of brightness and of contrast.
    """

    crop: float = 1.0
    flip: float = 0.0
    rotate: float = 0.0
    jitter: float = 0.0

    def apply(
        self, image: Image.Image, seed: int, epoch: int, index: int
    ) -> Image.Image:
        """The picture as image `index` is seen in `epoch`."""

        def number(stream: int) -> float:
            return float(sampler.uniform(seed, epoch, index, stream))

        if self.crop < 1:
            image = self._cropped(image, number)
        if number(sampler.FLIP) < self.flip:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if self.rotate:
            angle = self.rotate * (2 * number(sampler.ROTATION) - 1)
            image = image.rotate(angle, Image.Resampling.BILINEAR)
        if self.jitter:
            brightness = 1 + self.jitter * (2 * number(sampler.BRIGHTNESS) - 1)
            contrast = 1 + self.jitter * (2 * number(sampler.CONTRAST) - 1)
            image = functional.adjust_brightness(image, brightness)
            image = functional.adjust_contrast(image, contrast)
        return image

    def _cropped(self, image, number) -> Image.Image:  # type: ignore[no-untyped-def]
        """A crop of the picture's own shape: its model resizes it as any other."""
        side = (self.crop + (1 - self.crop) * number(sampler.CROP)) ** 0.5
        width = max(1, round(side * image.width))
        height = max(1, round(side * image.height))
        left = int(number(sampler.PLACE_X) * (image.width - width + 1))
        top = int(number(sampler.PLACE_Y) * (image.height - height + 1))
        return image.crop((left, top, left + width, top + height))
