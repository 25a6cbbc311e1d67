"""The encoder: anything that turns images, and perhaps texts, into vectors."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from bakeoff.schemas import FACTS

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor


class Encoder(ABC):
    """One loaded model at one resolution, on one device, in one precision.

    id: name of the encoder; dimension: length d of a vector; resolution: side of the
    square input in pixels, or the largest number of patches where the aspect ratio is
    kept; has_text: whether texts can be encoded; logit_scale, logit_bias: what the
    checkpoint multiplies cosines with, and adds to them (None: it has none); key:
    everything that defines the vectors; parameters, parameters_image: how many.
    """

    id: str
    dimension: int
    resolution: int
    has_text: bool
    logit_scale: float | None
    logit_bias: float | None
    key: dict[str, Any]
    parameters: int
    parameters_image: int
    device: str
    loader: ClassVar[str]

    @abstractmethod
    def preprocess(self, image: "Image") -> Any:
        """The RGB picture as the image tower takes it: mostly uint8 (3, h, w).

        Resized and cropped by the model's own rules; the division by 255, the mean and
        the deviation follow in `encode_images`, once per batch and on its device.
        """

    @abstractmethod
    def encode_images(self, batch: Any) -> "Tensor":
        """(n, d) float32 vectors, not normalised, of what `collate` returned."""

    @abstractmethod
    def tokenize(self, texts: Sequence[str]) -> "Tensor":
        """(n, context) int64 token ids by the model's own cleaning and padding."""

    @abstractmethod
    def encode_texts(self, texts: Sequence[str]) -> "Tensor":
        """(n, d) float32 vectors of texts, not normalised.

        Raises BakeoffError where the encoder has no text tower.
        """

    def facts(self) -> dict[str, Any]:
        """What tables of its vectors say of it."""
        return {name: getattr(self, name) for name in FACTS}

    def collate(self, inputs: Sequence[Any]) -> Any:
        """One batch, a tensor or a list of them, of what `preprocess` returned."""
        import torch

        return torch.stack(tuple(inputs))
