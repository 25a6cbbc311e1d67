"""One RGB picture from any file, or the reason why not.

Every picture that an encoder sees has passed through `decode`, so that "what the image
looks like" has one answer:

- rotated as its EXIF orientation says;
- transparency (alpha, palette or colour-key) laid on white;
- CMYK, YCbCr, LAB and palettes converted by Pillow; colour profiles are not applied,
  as the encoders' own training did not apply them;
- 16 bits per channel scaled by the full range: value // 256. A 12-bit camera that fills
  only the lowest sixteenth gives nearly black pictures: stretch these before;
- the first picture of a multi-picture JPEG (phones keep a preview in the second).

Refused, with the reason: what is not an image, empty or truncated files, animations
and multi-page files, pictures above the pixel limit or so narrow that resizing would
take them above it, 32-bit integers and floats (their range is not stated in the file).
"""

import hashlib
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from bakeoff.errors import BakeoffError
from bakeoff.files import need_regular
from bakeoff.files import sha256_of as sha256_of

# Raster formats that Pillow recognises by their first bytes and decodes by itself: EPS,
# for one, would run Ghostscript. Builds of Pillow differ in AVIF, JPEG 2000 and WebP.
Image.init()
FORMATS = tuple(
    name
    for name in ("JPEG", "PNG", "TIFF", "WEBP", "AVIF", "GIF", "BMP", "PPM", "JPEG2000")
    if name in Image.OPEN
)
PIXEL_LIMIT = 150_000_000
# A shorter side as long as the largest that encoders ask for.
_RESIZED_SIDE = 1024

_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")


class Unreadable(Exception):
    """A file that cannot be shown to an encoder; `reason` says why in words."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def read_image(path: str | Path, *, pixel_limit: int = PIXEL_LIMIT) -> Image.Image:
    """The picture in the file at `path`, mode RGB, upright.

    Raises Unreadable where the file cannot be read or `decode` refuses it.
    """
    return decode(read_bytes(path), pixel_limit=pixel_limit)


def listed_image(path: Path, image_id: str | None) -> Image.Image:
    """The picture of an image of the manifest, whose id is the hash of its bytes.

    Of any size: the manifest has applied the study's own limit. Without an id the bytes
    may be any. Raises BakeoffError where the file is gone, cannot be read, or differs.
    """
    try:
        data = read_bytes(path)
        if image_id and hashlib.sha256(data).hexdigest() != image_id:
            raise Unreadable("its bytes have changed since the manifest was made")
        return decode(data, pixel_limit=1 << 40)
    except Unreadable as error:
        raise BakeoffError(
            str(path),
            f"an image that cannot be used: {error.reason}",
            "the image that the manifest lists",
            "Restore it, or run the study again, which lists its images again.",
        ) from error


def read_bytes(path: str | Path) -> bytes:
    """The bytes of the file at `path`; raises Unreadable where there are none."""
    try:
        need_regular(path)
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise Unreadable(_words(error)) from error
    if not data:
        raise Unreadable("the file is empty")
    return data


def decode(data: bytes, *, pixel_limit: int = PIXEL_LIMIT) -> Image.Image:
    """The picture in the bytes of an image file, mode RGB, upright.

    `pixel_limit` is the largest width x height, checked before any pixel is decoded. An
    encoder enlarges the shorter side to its resolution before it crops: a picture that
    would then have more than the limit (or PIXEL_LIMIT, if larger) is refused as well.
    Raises Unreadable, and nothing else, whatever the bytes are.
    """
    _lift_pillows_limit(pixel_limit)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _refuse(image, pixel_limit)
            image.load()
            return _rgb(ImageOps.exif_transpose(image))
    except Unreadable:
        raise
    # Decoders raise almost anything on damaged bytes: struct.error, SyntaxError, ...
    except Exception as error:
        raise Unreadable(_words(error)) from error


def _lift_pillows_limit(pixel_limit: int) -> None:
    """Let `pixel_limit` decide where it is larger than Pillow's own limit."""
    if Image.MAX_IMAGE_PIXELS is not None and pixel_limit > Image.MAX_IMAGE_PIXELS:
        Image.MAX_IMAGE_PIXELS = pixel_limit


def _refuse(image: Image.Image, pixel_limit: int) -> None:
    pixels = image.width * image.height
    if pixels > pixel_limit:
        raise Unreadable(
            f"{image.width} x {image.height} pixels are more than the limit of "
            f"{pixel_limit:,}"
        )
    if pixels < 1:
        raise Unreadable("the picture has no pixels")
    _refuse_narrow(image.size, max(pixel_limit, PIXEL_LIMIT))
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":
        raise Unreadable(f"it holds {frames} frames or pages, not one picture")
    # Netpbm states its range, and Pillow has scaled it to 0-65535.
    if image.mode == "F" or (image.mode == "I" and image.format != "PPM"):
        raise Unreadable("32-bit pixels have no stated range; save 8 or 16 bits")


def _refuse_narrow(size: tuple[int, int], limit: int) -> None:
    """Refuse 65500 x 1 pixels, which 224 pixels for the shorter side make 14 GB."""
    shorter, longer = sorted(size)
    side = max(shorter, _RESIZED_SIDE)
    if side * side * longer // shorter > limit:
        raise Unreadable(
            f"{size[0]} x {size[1]} pixels are too narrow: with {side} pixels for the "
            f"shorter side they would be more than {limit:,}"
        )


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in _SIXTEEN_BIT or image.mode == "I":
        image = Image.fromarray((np.asarray(image) // 256).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _words(error: Exception) -> str:
    if isinstance(error, Image.UnidentifiedImageError):
        return "it is not an image of a known format"
    if isinstance(error, Image.DecompressionBombError):
        return "its pixels are more than the limit"
    if isinstance(error, FileNotFoundError):
        return "there is no such file (or its link points nowhere)"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return f"damaged: {str(error) or type(error).__name__}"
