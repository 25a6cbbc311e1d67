"""What every loader shares: normalisation of pixels, precision, errors of loading."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torchvision.transforms import Compose, Normalize, PILToTensor

from bakeoff.errors import BakeoffError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Pixels:
    """The last step of preprocessing: (uint8 / 255 - mean) / deviation, per channel.

    Done in float32 on the device of the batch, by the operations and in the order of
    torchvision's ToTensor and Normalize: the same bits as image by image.
    """

    def __init__(
        self, mean: Sequence[float], std: Sequence[float], device: str
    ) -> None:
        self.mean = torch.tensor(mean, dtype=torch.float32, device=device)[
            :, None, None
        ]
        self.std = torch.tensor(std, dtype=torch.float32, device=device)[:, None, None]

    def __call__(self, batch: Tensor, dtype: torch.dtype) -> Tensor:
        """(n, 3, h, w) of `dtype` from a uint8 batch of that shape."""
        pixels = batch.to(self.mean.device, non_blocking=True).float().div_(255)
        return pixels.sub_(self.mean).div_(self.std).to(dtype)


def geometry(transform: Compose) -> Compose:
    """The resizing and cropping of a library's transform, ending in a uint8 tensor.

    Raises TypeError where the transform does not end in a conversion to a tensor and a
    normalisation, which `Pixels` does in its place.
    """
    *steps, _to_tensor, normalise = transform.transforms
    if not isinstance(normalise, Normalize):
        raise TypeError(f"the transform ends in {normalise}, not in Normalize")
    return Compose([*steps, PILToTensor()])


def ready(tower: nn.Module, dtype: torch.dtype) -> nn.Module:
    """The tower in `dtype` and evaluation mode, its weights still requiring gradients.

    On CPUs, frozen or inference-mode bf16 weights make matrix products of transposed
    3-D inputs copy the weights in every call, 7 times slower: so weights are cast here,
    outside inference mode, are not frozen, and run under no_grad without autocast.
    """
    return tower.to(dtype).eval()


def count(module: nn.Module) -> int:
    """Number of parameters, buffers not counted."""
    return sum(parameter.numel() for parameter in module.parameters())


# What libraries raise over missing, damaged or unfitting files.
_OF_FILES = (
    *(OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError),
    *(AttributeError, EOFError, UnpicklingError, SafetensorError),
)


@contextlib.contextmanager
def loading(folder: Path) -> Iterator[None]:
    """Turns whatever a library raises over a folder's files into one clear error."""
    try:
        yield
    except BakeoffError:
        raise
    except _OF_FILES as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        if "trust_remote_code" in str(error):
            raise _needs_code(folder) from error
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise BakeoffError(
            str(folder),
            f"files that cannot be loaded ({'; '.join(lines)[:500]})",
            "weights, configuration and tokenizer of one model",
            "Fetch the weights again; for your own model, check its configuration.",
        ) from error


def _needs_code(folder: Path) -> BakeoffError:
    """The error of a model that its repository's own code would have to make."""
    return BakeoffError(
        str(folder),
        "a model that only the code of its repository can load (`auto_map`)",
        "one that open_clip, transformers or timm knows by itself",
        "Choose another encoder: no code of a repository runs here.",
    )


def no_texts(encoder_id: str) -> BakeoffError:
    """The error of asking an image tower for texts."""
    return BakeoffError(
        encoder_id,
        "texts to encode",
        "images: it has no text tower",
        "Use it with probes; zero-shot needs an encoder with `text: true`.",
    )
