"""timm image towers from a folder that timm reads as `local-dir:`; no texts."""

from collections.abc import Sequence

import timm
import torch
from PIL.Image import Image
from torch import Tensor

from bakeoff.encoders.folder import WeightsFolder
from bakeoff.encoders.interface import Encoder
from bakeoff.encoders.towers import DTYPES, Pixels, count, geometry, loading, ready
from bakeoff.errors import BakeoffError


class Timm(Encoder):
    """A timm model without its classifier: pooled features."""

    loader = "timm"
    has_text = False
    logit_scale = None
    logit_bias = None

    def __init__(
        self,
        model: torch.nn.Module,
        weights: WeightsFolder,
        resolution: int | None,
        device: str,
        precision: str,
    ) -> None:
        config = timm.data.resolve_model_data_config(model)
        if resolution:
            config["input_size"] = (3, resolution, resolution)
        self.id = weights.id
        self.device = device
        self.parameters = self.parameters_image = count(model)
        self.resolution = max(config["input_size"][1:])
        self.dimension = int(weights.note["dimension"])
        self.key = weights.key(precision=precision, resolution=self.resolution)
        self._dtype = DTYPES[precision]
        self._resize = geometry(timm.data.create_transform(**config, is_training=False))
        self._pixels = Pixels(config["mean"], config["std"], device)
        self.model = ready(model.to(device), self._dtype)

    def preprocess(self, image: Image) -> Tensor:
        """uint8 (3, h, w), resized and cropped as timm does."""
        return self._resize(image)

    @torch.no_grad()
    def encode_images(self, batch: Tensor) -> Tensor:
        """(n, d) float32 vectors, not normalised."""
        return self.model(self._pixels(batch, self._dtype)).float()

    def tokenize(self, texts: Sequence[str]) -> Tensor:
        """Raises BakeoffError: there is no text tower."""
        raise no_texts(self.id)

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """Raises BakeoffError: there is no text tower."""
        raise no_texts(self.id)


def load(
    weights: WeightsFolder, resolution: int | None, device: str, precision: str
) -> Timm:
    """The timm model in the folder; raises BakeoffError where it cannot be."""
    # Only transformers have position embeddings of a fixed size to be told about.
    size = {"img_size": resolution} if resolution else {}
    with loading(weights.path):
        name = f"local-dir:{weights.path}"
        try:
            model = timm.create_model(name, pretrained=True, num_classes=0, **size)
        except TypeError:
            model = timm.create_model(name, pretrained=True, num_classes=0)
        return Timm(model, weights, resolution, device, precision)


def no_texts(encoder_id: str) -> BakeoffError:
    """The error of asking an image tower for texts."""
    return BakeoffError(
        encoder_id,
        "texts to encode",
        "images: it has no text tower",
        "Use it with probes; zero-shot needs an encoder with `text: true`.",
    )
