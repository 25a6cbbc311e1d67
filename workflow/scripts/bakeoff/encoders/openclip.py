"""OpenCLIP models from a folder that open_clip reads as `local-dir:`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL.Image import Image
from torch import Tensor

from bakeoff.encoders.folder import WeightsFolder
from bakeoff.encoders.interface import Encoder
from bakeoff.encoders.towers import DTYPES, Pixels, count, geometry, loading, ready
from bakeoff.safety import text_settings


class OpenClip(Encoder):
    """An open_clip model with its own preprocessing and tokenizer."""

    loader = "openclip"

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        weights: WeightsFolder,
        device: str,
        precision: str,
    ) -> None:
        self.id = weights.id
        self.has_text = True
        self.device = device
        self.logit_scale = float(model.logit_scale.detach().exp())
        self.logit_bias = _float(model.logit_bias)
        self.parameters = count(model)
        self.parameters_image = count(model.visual)
        config = PreprocessCfg(**model.visual.preprocess_cfg)
        self.resolution = max(config.input_size[1:])
        self.key = weights.key(precision=precision, resolution=self.resolution)
        self.dimension = int(weights.note["dimension"])
        self.model = model
        self._dtype = DTYPES[precision]
        self._tokenizer = tokenizer
        self._resize = geometry(image_transform_v2(config, is_train=False))
        self._pixels = Pixels(config.mean, config.std, device)
        ready(model, torch.float32)
        ready(model.visual, self._dtype)

    def preprocess(self, image: Image) -> Tensor:
        """uint8 (3, h, w), resized and cropped as open_clip does."""
        return self._resize(image)

    @torch.no_grad()
    def encode_images(self, batch: Tensor) -> Tensor:
        """(n, d) float32 vectors, not normalised."""
        return self.model.encode_image(self._pixels(batch, self._dtype)).float()

    def tokenize(self, texts: Sequence[str]) -> Tensor:
        """(n, context) int64 ids by the model's own tokenizer rules."""
        return self._tokenizer(list(texts))

    @torch.no_grad()
    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """(n, d) float32 vectors, not normalised."""
        return self.model.encode_text(self.tokenize(texts).to(self.device)).float()


def load(
    weights: WeightsFolder, resolution: int | None, device: str, precision: str
) -> OpenClip:
    """The open_clip model in the folder; raises BakeoffError where it cannot be."""
    name = f"local-dir:{weights.path}"
    with loading(weights.path):
        model = open_clip.create_model(
            name,
            device=device,
            force_image_size=resolution,
            pretrained_text=False,
            require_pretrained=True,
        )
        tokenizer = tokenizer_of(weights.path)
        return OpenClip(model, tokenizer, weights, device, precision)


def tokenizer_of(folder: Path) -> Any:
    """open_clip's own tokenizer, or the one whose files lie in the folder; never code.

    What is passed here wins over `tokenizer_kwargs` of the configuration. open_clip's
    own tokenizer takes none of it, and reads no file of the folder.
    """
    name = f"local-dir:{folder}"
    if text_settings(folder).get("hf_tokenizer_name"):
        return open_clip.get_tokenizer(
            name, trust_remote_code=False, local_files_only=True
        )
    return open_clip.get_tokenizer(name)


def _float(value: Tensor | None) -> float | None:
    return None if value is None else float(value.detach())
