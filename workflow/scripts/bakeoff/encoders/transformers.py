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
from bakeoff.encoders.towers import DTYPES, Pixels, count, loading, no_texts, ready


def canonical(text: str) -> str:
    """Lower case, no ASCII punctuation, single spaces: what SigLIP was trained on."""
    bare = text.replace("_", " ").translate(str.maketrans("", "", string.punctuation))
    return " ".join(bare.lower().split())


@dataclass(frozen=True)
class TextRules:
    """How texts of one family become ids.

    clean: applied to each text; length: of every row, longer texts are cut (None: as
    the longest). sigmoid: SigLIP's rows are the words, one end mark and padding on the
    right, and the tower is not told which ids are padding; it was trained so, and any
    other length, side or mask gives other, worse vectors. These rows are made here:
    transformers' own tokenizers of the family need protobuf (SigLIP) or pad on the left
    (SigLIP 2).
    """

    clean: Callable[[str], str]
    length: int | None
    sigmoid: bool = False


TEXT_RULES = {
    "siglip": TextRules(canonical, 64, sigmoid=True),
    # Lower-cased, punctuation kept (Tschannen et al. 2025, section 2.1).
    "siglip2": TextRules(str.lower, 64, sigmoid=True),
    "clip": TextRules(str, 77),
}
_OTHER = TextRules(str, None)


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
        self.logit_bias = _scalar(model, "logit_bias", torch.clone)
        self.dimension = int(weights.note["dimension"])
        self.resolution = resolution or int(weights.note["resolution"])
        self.key = weights.key(precision=precision, resolution=self.resolution)
        tower = getattr(model, "vision_model", model)
        self.parameters = count(model)
        self.parameters_image = count(tower)
        self.model: Any = ready(model.to(device), torch.float32)
        ready(tower, DTYPES[precision])
        self._projection = getattr(model, "visual_projection", None)
        if self._projection is not None:
            ready(self._projection, DTYPES[precision])
        self._dtype = DTYPES[precision]
        self._processor: Any = processor
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
        cleaned = [rules.clean(text) for text in texts]
        if rules.sigmoid and rules.length:
            return {"input_ids": self._padded(cleaned, rules.length)}
        tokens = self._tokenizer(
            cleaned,
            padding="max_length" if rules.length else "longest",
            max_length=rules.length,
            truncation=True,
            return_tensors="pt",
        )
        return {name: tokens[name] for name in ("input_ids", "attention_mask")}

    def _padded(self, texts: Sequence[str], length: int) -> Tensor:
        """Words, one end mark, padding."""
        tokenizer = self._tokenizer
        rows = tokenizer(
            texts, add_special_tokens=False, truncation=True, max_length=length - 1
        )["input_ids"]
        ids = torch.full((len(rows), length), tokenizer.pad_token_id)
        for target, row in zip(ids, rows, strict=True):
            target[: len(row) + 1] = torch.tensor([*row, tokenizer.eos_token_id])
        return ids

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
            ours = TEXT_RULES.get(_family(model), _OTHER).sigmoid
            kind = FastTokenizer if ours else AutoTokenizer
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
