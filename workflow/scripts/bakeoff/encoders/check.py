"""What a loaded encoder really gives, asked with one blank picture."""

import math
from typing import Any

from PIL import Image

from bakeoff.encoders.interface import Encoder
from bakeoff.errors import BakeoffError


def checked(encoder: Encoder) -> Encoder:
    """The encoder, if its vectors are as long as it says.

    A wrong length is found here, before anything is encoded or kept. Raises
    BakeoffError otherwise.
    """
    stated, found = encoder.dimension, dimension_of(encoder)
    if stated != found:
        raise differs(encoder.id, "dimension", stated, found)
    return encoder


def dimension_of(encoder: Encoder) -> int:
    """The length of its vectors; BakeoffError where one image does not fit into memory."""
    import torch

    try:
        return int(encoder.encode_images(encoder.collate([_blank(encoder)])).shape[1])
    except torch.OutOfMemoryError:
        raise too_little_memory(encoder.id, encoder.device) from None


def resolution_of(encoder: Encoder) -> int:
    """The side of its input in pixels; for NaFlex, of the square of as many patches."""
    picture = _blank(encoder)
    if picture.ndim == 3:
        return int(max(picture.shape[1:]))
    # NaFlex: a row for each patch, three values for each of its pixels, and one row more.
    patches, values = picture.shape[0] - 1, picture.shape[1]
    return math.isqrt(patches) * math.isqrt(values // 3)


def differs(encoder_id: str, key: str, stated: int, found: int) -> BakeoffError:
    """The error of an encoder that is described with a wrong number."""
    return BakeoffError(
        f"catalogue, {encoder_id}.{key}",
        f"{stated}",
        f"{found}, as its files have it",
        f"Set `{key}: {found}`, or correct encoder.json if the folder brings one.",
    )


def too_little_memory(encoder_id: str, device: str) -> BakeoffError:
    """The error of an encoder that cannot encode a single image on this device."""
    return BakeoffError(
        encoder_id,
        f"too little memory on {device} for one image",
        "memory for one image",
        "Free memory, choose a smaller encoder, or set device: cpu.",
    )


def _blank(encoder: Encoder) -> Any:
    return encoder.preprocess(Image.new("RGB", (64, 64)))
