"""Encoders: one interface, one module per loader.

Importing this package is light; torch comes with the first `load_encoder`.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from bakeoff.encoders.check import checked, dimension_of
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
    network is touched, and neither a pickle nor code of a repository is executed.
    Raises BakeoffError for missing, changed, unlisted or unloadable files, for code, and
    for a resolution too small for the image tower.
    """
    weights = open_folder(folder)
    weights.verify()
    if resolution == weights.note["resolution"]:
        resolution = None
    load = partial(loader_of(weights), weights, resolution, device, precision)
    own = weights.note["resolution"]
    if resolution is not None and isinstance(own, int) and resolution < own:
        return checked(_tried(load, f"{weights.id}@{resolution}"))
    return checked(load())


def _tried(load: Callable[[], Encoder], name: str) -> Encoder:
    """The encoder, after it has seen a blank picture at its resolution.

    Nothing else knows how large its patches are. Raises BakeoffError where one does not
    fit into the picture.
    """
    try:
        encoder = load()
        dimension_of(encoder)
    except (RuntimeError, ValueError) as error:
        told = error.received if isinstance(error, BakeoffError) else str(error)
        raise BakeoffError(
            name,
            f"a resolution that its image tower cannot take ({told[:200]})",
            "at least as many pixels as its patches need",
            "Give a larger resolution after the @.",
        ) from error
    return encoder


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
