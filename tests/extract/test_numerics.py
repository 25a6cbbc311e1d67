"""NUMERICS is part of every key: the vectors that it stands for, pinned.

Where one of these tests fails and the change of vectors is meant, raise NUMERICS in
`encoders/folder.py` and put the new numbers here: stores made before are then left
alone, and everything is encoded again. Rounding of other machines and library versions
is far below the tolerance.
"""

from pathlib import Path

import numpy as np
import pytest
from bakeoff.encode import encode_files
from bakeoff.encoders import load_encoder
from bakeoff.encoders.derive import derive
from bakeoff.encoders.folder import NUMERICS
from PIL import Image
from torchvision.transforms import InterpolationMode

ENCODER = Path(__file__).parents[2] / "resources/encoders/tiny-clip"
# The version, then the six numbers of each unit vector.
GOLDEN = {
    "version": 1,
    "images": [
        [-0.0559, -0.0006, -0.012, -0.084, 0.1406, -0.1551],
        [-0.0995, 0.0156, -0.0316, -0.1176, 0.1796, -0.1417],
        [-0.0973, -0.1341, -0.0041, -0.1081, 0.08, -0.1566],
        [0.036, 0.1218, -0.0135, -0.0298, 0.0641, -0.0267],
    ],
    "scales": [
        [-0.0396, 0.0881, 0.0474, 0.0524, -0.0406, -0.0855],
        [-0.0704, 0.1087, 0.0372, 0.0337, -0.0779, -0.0896],
        [-0.0688, 0.0481, -0.0146, -0.0827, -0.0254, -0.0847],
        [0.0254, 0.1581, 0.023, 0.0721, -0.0203, -0.0234],
    ],
    "tiles": [
        [-0.0631, 0.0253, -0.0253, -0.0798, 0.1437, -0.1456],
        [-0.1027, 0.0628, -0.0166, -0.1141, 0.1441, -0.1364],
        [-0.0313, -0.1593, 0.0029, -0.0918, -0.0108, -0.1494],
        [-0.0134, 0.0587, -0.0515, -0.0464, 0.1484, -0.0698],
    ],
    "texts": [
        [0.0496, -0.0829, -0.0012, -0.0232, -0.1071, 0.0217],
        [0.0217, 0.0819, -0.0536, 0.0165, 0.1427, 0.081],
    ],
}


def pattern(h: int, w: int, channels: int) -> np.ndarray:
    """(h, w, channels) uint8 that varies quickly and slowly, the same everywhere."""
    y, x, c = np.ogrid[:h, :w, :channels]
    return ((x * x // 7 + y * 3 + x * y // 11 + c * 85) % 256).astype(np.uint8)


def save_rotated(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pattern(70, 110, 3)).save(path, quality=95, exif=exif)


def save_deep(path: Path) -> None:
    grey = pattern(66, 90, 1)[..., 0].astype(np.uint16) * 257
    Image.fromarray(grey).save(path)


SAVE = {
    "wide.png": lambda p: Image.fromarray(pattern(80, 130, 3)).save(p),
    "transparent.png": lambda p: Image.fromarray(pattern(64, 64, 4)).save(p),
    "rotated.jpg": save_rotated,
    "deep.png": save_deep,
}


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("numerics")
    for name, save in SAVE.items():
        save(folder / name)
    return [folder / name for name in SAVE]


def some(vectors: np.ndarray) -> list[list[float]]:
    """Six numbers of each unit vector, from all over it."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    places = np.linspace(0, vectors.shape[1] - 1, 6).astype(int)
    return np.round(units[:, places].astype(float), 4).tolist()


def found(files: list[Path], folder: Path) -> dict[str, object]:
    parts = [(ENCODER, None), (ENCODER, 96)]
    derive(folder / "scales", "scales", "concatenate", parts)
    derive(folder / "tiles", "tiles", "tiles", [(ENCODER, None)])
    plain = load_encoder(ENCODER)
    texts = plain.encode_texts(["a photo of a person running", "Ears: 3!"])
    encoders = [plain, *(load_encoder(folder / name) for name in ("scales", "tiles"))]
    images, scales, tiles = (some(encode_files(e, files)) for e in encoders)
    return {
        "version": NUMERICS,
        "images": images,
        "scales": scales,
        "tiles": tiles,
        "texts": some(texts.numpy()),
    }


def test_vectors_are_those_of_this_version(files, tmp_path):
    now = found(files, tmp_path)
    assert now.keys() == GOLDEN.keys()
    for name, expected in GOLDEN.items():
        np.testing.assert_allclose(now[name], expected, atol=1e-3, err_msg=name)


def test_a_small_change_is_seen(files):
    """The tolerance is below what another interpolation does."""
    encoder = load_encoder(ENCODER)
    before = np.array(some(encode_files(encoder, files)))
    encoder._resize.transforms[0].interpolation = InterpolationMode.BILINEAR
    after = np.array(some(encode_files(encoder, files)))
    assert np.abs(before - after).max() > 2e-3
