"""Every kind of file becomes the right RGB picture or gives its reason."""

import hashlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from bakeoff.images import Unreadable, decode, read_image, sha256_of
from PIL import Image, ImageFile

RED, BLUE = (255, 0, 0), (0, 0, 255)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def half_and_half(mode: str = "RGB") -> Image.Image:
    """Left half red, right half blue, 8 x 4."""
    image = Image.new("RGB", (8, 4), RED)
    image.paste(BLUE, (4, 0, 8, 4))
    return image.convert(mode)


def test_plain_rgb_is_unchanged():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    image = decode(encoded(Image.fromarray(pixels)))
    assert image.mode == "RGB" and image.size == (7, 5)
    np.testing.assert_array_equal(np.asarray(image), pixels)


@pytest.mark.parametrize("kind", ["BMP", "GIF", "PPM", "TIFF", "WEBP", "JPEG2000"])
def test_formats(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    image = decode(encoded(half_and_half(), kind, **options))
    assert image.getpixel((0, 0)) == RED and image.getpixel((7, 3)) == BLUE


@pytest.mark.parametrize(
    ("orientation", "corner"),
    [(1, RED), (2, BLUE), (3, BLUE), (6, RED), (8, BLUE)],
)
def test_exif_rotation(orientation, corner):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = decode(encoded(half_and_half(), "PNG", exif=exif))
    assert image.size == ((4, 8) if orientation in (6, 8) else (8, 4))
    assert image.getpixel((0, 0)) == corner


def test_alpha_is_laid_on_white():
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (255, 0, 0, 128))
    result = decode(encoded(image))
    assert result.getpixel((0, 0)) == (255, 255, 255)
    assert result.getpixel((1, 0)) == (255, 127, 127)


def test_grey_with_alpha_and_transparent_palette():
    grey = Image.new("LA", (1, 1), (10, 0))
    assert decode(encoded(grey)).getpixel((0, 0)) == (255, 255, 255)
    palette = half_and_half("P")
    transparent = encoded(palette, transparency=palette.getpixel((0, 0)))
    assert decode(transparent).getpixel((0, 0)) == (255, 255, 255)
    assert decode(transparent).getpixel((7, 0)) == BLUE


def test_colour_key_transparency():
    data = encoded(half_and_half(), transparency=RED)
    assert decode(data).getpixel((0, 0)) == (255, 255, 255)


def test_palette_and_one_bit():
    assert decode(encoded(half_and_half("P"))).getpixel((0, 0)) == RED
    assert decode(encoded(Image.new("1", (3, 3), 1))).getpixel((1, 1)) == (255,) * 3


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk(kind):
    image = decode(encoded(half_and_half("CMYK"), kind))
    np.testing.assert_allclose(image.getpixel((0, 0)), RED, atol=6)
    np.testing.assert_allclose(image.getpixel((7, 3)), BLUE, atol=6)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_keep_the_high_byte(kind):
    values = np.array([[0, 255, 256, 65535]], dtype=np.uint16)
    image = decode(encoded(Image.fromarray(values), kind))
    assert [image.getpixel((x, 0))[0] for x in range(4)] == [0, 0, 1, 255]


def test_sixteen_bit_netpbm():
    data = b"P5\n2 1\n65535\n" + struct.pack(">HH", 0x1234, 0xFFFF)
    assert [decode(data).getpixel((x, 0))[0] for x in (0, 1)] == [0x12, 255]


def test_first_picture_of_a_multi_picture_jpeg():
    data = encoded(
        half_and_half(),
        "MPO",
        save_all=True,
        append_images=[Image.new("RGB", (2, 2))],
    )
    assert decode(data).size == (8, 4)


def animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (4, 4), colour) for colour in (RED, BLUE)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A PNG that states a gigantic size and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 10_000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"these are words", "not an image"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "damaged|not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
        (encoded(half_and_half())[:-30], "damaged"),
        (encoded(Image.effect_noise((64, 64), 90), "JPEG")[:-400], "truncated"),
        (animated("GIF"), "2 frames"),
        (animated("PNG"), "2 frames"),
        (animated("WEBP"), "2 frames"),
        (animated("TIFF"), "2 frames"),
        (bomb(), "limit"),
        (encoded(Image.new("F", (2, 2), 0.5), "TIFF"), "32-bit"),
        (encoded(Image.new("I", (2, 2), 5), "TIFF"), "32-bit"),
    ],
)
def test_refused_with_the_reason(data, reason):
    with pytest.raises(Unreadable, match=reason):
        decode(data)


def test_every_truncation_is_refused_or_whole():
    """No cut file gives a picture with made-up pixels."""
    noise = Image.effect_noise((24, 24), 90).convert("RGB")
    data = encoded(noise)
    whole = np.asarray(decode(data))
    for length in range(0, len(data), 37):
        try:
            cut = np.asarray(decode(data[:length]))
        except Unreadable:
            continue
        np.testing.assert_array_equal(cut, whole)


def test_pixel_limit_is_the_callers():
    data = encoded(Image.new("L", (100, 50)))
    assert decode(data, pixel_limit=5000).size == (100, 50)
    with pytest.raises(Unreadable, match="100 x 50"):
        decode(data, pixel_limit=4999)


def test_truncated_files_are_never_tolerated():
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_files(tmp_path: Path):
    path = tmp_path / 'ein Bild\'s "neu"\nß日本.png'
    path.write_bytes(encoded(half_and_half()))
    assert read_image(path).size == (8, 4)
    assert sha256_of(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    link = tmp_path / "link.png"
    link.symlink_to(path)
    assert read_image(link).size == (8, 4)


@pytest.mark.parametrize("make", ["empty", "missing", "folder", "dangling"])
def test_files_that_hold_nothing(tmp_path: Path, make):
    path = tmp_path / "x.png"
    if make == "empty":
        path.touch()
    elif make == "folder":
        path.mkdir()
    elif make == "dangling":
        path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(Unreadable, match=r"empty|no such file|directory"):
        read_image(path)


@pytest.mark.parametrize("size", [(65500, 1), (1, 65500), (1000, 6)])
def test_a_picture_that_resizing_would_make_huge_is_refused(size):
    with pytest.raises(Unreadable, match="too narrow"):
        decode(encoded(Image.new("L", size)))


def test_a_narrow_picture_within_the_limit_is_read():
    # 1024 * 1024 * 858 / 6 = 149,946,368 <= 150,000,000 < 1024 * 1024 * 859 / 6
    assert decode(encoded(Image.new("L", (858, 6)))).size == (858, 6)
    with pytest.raises(Unreadable, match="too narrow"):
        decode(encoded(Image.new("L", (859, 6))))
    # A study may allow more, and a lower limit is about the picture's own pixels.
    image = encoded(Image.new("L", (859, 6)))
    assert decode(image, pixel_limit=151_000_000).size == (859, 6)
    assert decode(encoded(Image.new("L", (40, 30))), pixel_limit=1200).size == (40, 30)
