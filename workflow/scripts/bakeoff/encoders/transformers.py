"""transformers models from a folder that `from_pretrained` reads, with text or without.

Each family of text towers was trained on texts cleaned and padded in one way, and is
silently wrong in any other (`TEXT_RULES`).
"""

import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor
from transformers import AutoImageProcessor, AutoModel, AutoTokenizer
from transformers import PreTrainedTokenizerFast as FastTokenizer

from bakeoff.encoders.folder import WeightsFolder
from bakeoff.encoders.interface import Encoder
from bakeoff.encoders.timm import no_texts
from bakeoff.encoders.towers import DTYPES, Pixels, count, loading, ready


def canonical(text: str) -> str:
    """Lower case, no ASCII punctuation, single spaces: what SigLIP was trained on."""
    bare = text.replace("_", " ").translate(str.maketrans("", "", string.punctuation))
    return " ".join(bare.lower().split())


@dataclass(frozen=True)
class TextRules:
    """How texts of one family become ids.

    clean: applied to each text; pad_to: every row has this many ids (None: as long as
    the longest); mask: whether the tower is told which ids are padding. SigLIP was
    trained on rows padded to 64 without a mask: shorter rows or a mask give other,
    worse vectors.
    """

    clean: Callable[[str], str]
    pad_to: int | None
    mask: bool


TEXT_RULES = {
    "siglip": TextRules(canonical, 64, mask=False),
    # big_vision trained it on lower-cased text, punctuation included.
    "siglip2": TextRules(str.lower, 64, mask=False),
    "clip": TextRules(str, 77, mask=True),
}
_OTHER = TextRules(str, None, mask=True)


class Transformers(Encoder):
    """A transformers model with its own image processor and tokenizer."""

    loader = "transformers"

    def __init__(
        self,
        model: Any,
        processor: Any,
        tokenizer: Any,
        weights: WeightsFolder,
        resolution: int | None,
        device: str,
        precision: str,
    ) -> None:
        self.id = weights.id
        self.device = device
        self.has_text = hasattr(model, "get_text_features")
        self.logit_scale = _scalar(model, "logit_scale", torch.exp)
        self.logit_bias = _scalar(model, "logit_bias", float)
        self.dimension = int(weights.note["dimension"])
        self.resolution = resolution or int(weights.note["resolution"])
        self.key = weights.key(precision=precision, resolution=self.resolution)
        tower = getattr(model, "vision_model", model)
        self.parameters = count(model)
        self.parameters_image = count(tower)
        self.model = ready(model.to(device), torch.float32)
        ready(tower, DTYPES[precision])
        self._projection = getattr(model, "visual_projection", None)
        if self._projection is not None:
            ready(self._projection, DTYPES[precision])
        self._dtype = DTYPES[precision]
        self._processor = processor
        self._tokenizer = tokenizer
        self._rules = TEXT_RULES.get(_family(model), _OTHER)
        self._size = _size(processor, resolution)
        self._interpolate = (
            {"interpolate_pos_encoding": True} if resolution is not None else {}
        )
        self._pixels = Pixels(processor.image_mean, processor.image_std, device)

    def preprocess(self, image: Image) -> Tensor:
        """uint8 (3, h, w), resized and cropped by the model's own processor."""
        return self._processor(
            images=image,
            do_rescale=False,
            do_normalize=False,
            return_tensors="pt",
            **self._size,
        )["pixel_values"][0]

    @torch.no_grad()
    def encode_images(self, batch: Tensor) -> Tensor:
        """(n, d) float32 vectors, not normalised."""
        return self._features(
            {"pixel_values": self._pixels(batch, self._dtype), **self._interpolate}
        )

    def _features(self, inputs: Mapping[str, Any]) -> Tensor:
        encode = getattr(self.model, "get_image_features", self.model)
        return _pooled(encode(**inputs)).float()

    def tokenize(self, texts: Sequence[str]) -> Tensor:
        """(n, context) int64 ids by the rules of the model's family."""
        return self._tokens(texts)["input_ids"]

    def _tokens(self, texts: Sequence[str]) -> dict[str, Tensor]:
        if self._tokenizer is None:
            raise no_texts(self.id)
        rules = self._rules
        tokens = self._tokenizer(
            [rules.clean(text) for text in texts],
            padding="max_length" if rules.pad_to else "longest",
            max_length=rules.pad_to,
            truncation=True,
            return_tensors="pt",
        )
        names = ("input_ids", "attention_mask") if rules.mask else ("input_ids",)
        return {name: tokens[name] for name in names}

    @torch.no_grad()
    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """(n, d) float32 vectors, not normalised."""
        tokens = {k: v.to(self.device) for k, v in self._tokens(texts).items()}
        return _pooled(self.model.get_text_features(**tokens)).float()


class NaFlex(Transformers):
    """SigLIP 2 that keeps each image's aspect ratio: at most so many patches of it.

    A preprocessed image is packed into one float32 tensor (patches + 1, values): the
    normalised patches, zero where there are none, and a last row that holds how many
    rows and columns of patches there are.
    """

    def preprocess(self, image: Image) -> Tensor:
        """float32 (patches + 1, patch side squared times 3), see the class."""
        inputs = self._processor(images=image, return_tensors="pt", **self._size)
        patches = inputs["pixel_values"][0]
        shape = torch.zeros(1, patches.shape[1])
        shape[0, :2] = inputs["spatial_shapes"][0]
        return torch.cat([patches, shape])

    @torch.no_grad()
    def encode_images(self, batch: Tensor) -> Tensor:
        """(n, d) float32 vectors, not normalised."""
        batch = batch.to(self.device, non_blocking=True)
        shapes = batch[:, -1, :2].long()
        used = shapes.prod(dim=1, keepdim=True)
        places = torch.arange(batch.shape[1] - 1, device=batch.device)
        return self._features(
            {
                "pixel_values": batch[:, :-1].to(self._dtype),
                "pixel_attention_mask": (places < used).int(),
                "spatial_shapes": shapes,
            }
        )


def load(
    weights: WeightsFolder, resolution: int | None, device: str, precision: str
) -> Transformers:
    """The transformers model in the folder; raises BakeoffError where it cannot be."""
    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    with loading(weights.path):
        model = AutoModel.from_pretrained(
            weights.path, use_safetensors=True, dtype=torch.float32, **local
        )
        processor = AutoImageProcessor.from_pretrained(weights.path, **local)
        tokenizer = None
        if hasattr(model, "get_text_features"):
            # The slow tokenizer of SigLIP needs protobuf; its rules are ours anyway.
            kind = FastTokenizer if _family(model) == "siglip" else AutoTokenizer
            tokenizer = kind.from_pretrained(weights.path, **local)
        naflex = hasattr(processor, "max_num_patches")
        return (NaFlex if naflex else Transformers)(
            model, processor, tokenizer, weights, resolution, device, precision
        )


def _family(model: Any) -> str:
    return str(model.config.model_type)


def _scalar(model: Any, name: str, function: Callable[[Any], Any]) -> float | None:
    value = getattr(model, name, None)
    return None if value is None else float(function(value.detach()))


def _pooled(output: Any) -> Tensor:
    """One vector per item, whether the library returns it alone or with the rest."""
    return output if isinstance(output, Tensor) else output.pooler_output


def _size(processor: Any, resolution: int | None) -> dict[str, Any]:
    """What tells the processor of another resolution than its own."""
    if resolution is None:
        return {}
    if hasattr(processor, "max_num_patches"):
        return {"max_num_patches": (resolution // processor.patch_size) ** 2}
    square = {"height": resolution, "width": resolution}
    if getattr(processor, "do_center_crop", False):
        return {"size": {"shortest_edge": resolution}, "crop_size": square}
    return {"size": square}
