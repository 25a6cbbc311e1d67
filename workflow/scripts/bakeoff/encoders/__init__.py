"""Encoders: one interface, one module per loader.

Importing this package is light; torch comes with the first `load_encoder`.
"""

from collections.abc import Callable
from pathlib import Path

from bakeoff.encoders.folder import WeightsFolder, open_folder
from bakeoff.encoders.interface import Encoder
from bakeoff.errors import BakeoffError

Load = Callable[[WeightsFolder, int | None, str, str], Encoder]

__all__ = ["Encoder", "WeightsFolder", "load_encoder", "loader_of", "open_folder"]


def load_encoder(
    folder: str | Path,
    *,
    resolution: int | None = None,
    device: str = "cpu",
    precision: str = "fp32",
) -> Encoder:
    """The encoder in a weights folder, in evaluation mode on `device`.

    resolution: side of the square input; another than the model's own interpolates its
    position embeddings. precision: `fp32`, `bf16` or `fp16` for the image tower; the
    text tower is always fp32. The files are compared with their SHA-256 first; no
    network is touched and no pickle is executed.
    Raises BakeoffError for missing, changed or unloadable files, and for a resolution
    that the image tower cannot take.
    """
    weights = open_folder(folder)
    weights.verify()
    if resolution == weights.note["resolution"]:
        resolution = None
    encoder = loader_of(weights)(weights, resolution, device, precision)
    if resolution is not None:
        _refuse_unfit(encoder, resolution)
    return encoder


def _refuse_unfit(encoder: Encoder, resolution: int) -> None:
    """Raise BakeoffError where an image tower cannot take so few or so many pixels."""
    import torch
    from PIL import Image

    blank = Image.new("RGB", (resolution, resolution))
    try:
        encoder.encode_images(encoder.collate([encoder.preprocess(blank)]))
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, ValueError) as error:
        raise BakeoffError(
            f"{encoder.id}@{resolution}",
            f"a resolution that its image tower cannot take ({str(error)[:200]})",
            "pixels that the sides of its patches divide",
            "Give another resolution after the @.",
        ) from error


def loader_of(weights: WeightsFolder) -> Load:
    """The function that loads such weights; its library is imported, which takes seconds."""
    return _LOADERS[weights.loader]()


def _openclip() -> Load:
    from bakeoff.encoders.openclip import load

    return load


def _timm() -> Load:
    from bakeoff.encoders.timm import load

    return load


def _transformers() -> Load:
    from bakeoff.encoders.transformers import load

    return load


def _derived() -> Load:
    from bakeoff.encoders.derived import load

    return load


_LOADERS: dict[str, Callable[[], Load]] = {
    "derived": _derived,
    "openclip": _openclip,
    "timm": _timm,
    "transformers": _transformers,
}
