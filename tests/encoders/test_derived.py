"""Derived encoders: their vectors from those of their parts, their keys, refusals."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from bakeoff.encoders import load_encoder, open_folder
from bakeoff.encoders.derive import derive, interpolate
from bakeoff.encoders.derived import boxes
from bakeoff.errors import BakeoffError
from bakeoff.files import sha256_of
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.nn.functional import normalize


@pytest.fixture
def images() -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [
        Image.fromarray(rng.integers(0, 256, (h, w, 3), np.uint8))
        for w, h in [(50, 31), (31, 70), (32, 32)]
    ]


def encode(encoder, images) -> torch.Tensor:
    inputs = [encoder.preprocess(image) for image in images]
    return encoder.encode_images(encoder.collate(inputs))


def test_two_models_side_by_side(tmp_path, clip_folder, siglip_folder, images):
    parts = [(clip_folder, None), (siglip_folder, None)]
    derive(tmp_path / "both", "both", "concatenate", parts)
    both = load_encoder(tmp_path / "both")
    a, b = load_encoder(clip_folder), load_encoder(siglip_folder)
    expected = torch.cat([normalize(encode(e, images)) for e in (a, b)], 1) / 2**0.5
    torch.testing.assert_close(encode(both, images), expected)
    assert (both.id, both.dimension, both.has_text) == ("both", 48, True)
    torch.testing.assert_close(encode(both, images).norm(dim=1), torch.ones(3))
    cosines = encode(both, images) @ both.encode_texts(["a dog", "a cat"]).T
    mean = sum(
        normalize(encode(e, images)) @ normalize(e.encode_texts(["a dog", "a cat"])).T
        for e in (a, b)
    )
    torch.testing.assert_close(cosines, mean / 2)
    assert both.logit_bias is None and both.parameters == a.parameters + b.parameters


def test_several_resolutions_averaged(tmp_path, clip_folder, images):
    derive(tmp_path / "m", "m", "average", [(clip_folder, None), (clip_folder, 48)])
    scales = [load_encoder(clip_folder, resolution=r) for r in (32, 48)]
    expected = sum(normalize(encode(scale, images)) for scale in scales) / 2
    encoder = load_encoder(tmp_path / "m")
    torch.testing.assert_close(encode(encoder, images), expected)
    assert encoder.resolution == 48 and encoder.dimension == 24
    texts = normalize(scales[0].encode_texts(["a dog"]))
    torch.testing.assert_close(encoder.encode_texts(["a dog"]), texts)


def test_tiles(tmp_path, clip_folder, images):
    derive(tmp_path / "t", "t", "tiles", [(clip_folder, None)], tiles=2)
    encoder, part = load_encoder(tmp_path / "t"), load_encoder(clip_folder)
    image = images[2]
    quarters = [(0, 0, 16, 16), (16, 0, 32, 16), (0, 16, 16, 32), (16, 16, 32, 32)]
    expected = encode(part, [image.crop(box) for box in quarters]).mean(0)
    torch.testing.assert_close(encode(encoder, [image, image])[1], expected)


@pytest.mark.parametrize("size", [(7, 5), (32, 32), (101, 3)])
def test_tiles_cover_every_pixel_once(size):
    covered = np.zeros(size[::-1], int)
    for x0, y0, x1, y1 in boxes(size, 3):
        covered[y0:y1, x0:x1] += 1
    assert (covered == 1).all()


def test_no_tile_is_empty():
    for x0, y0, x1, y1 in boxes((1, 2), 3):
        assert 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 2


def test_keys_follow_the_parts(tmp_path, clip_folder, siglip_folder):
    copy = Path(shutil.copytree(clip_folder, tmp_path / "copy"))
    derive(tmp_path / "d", "d", "concatenate", [(copy, None), (siglip_folder, None)])
    weights = open_folder(tmp_path / "d")
    key = weights.key(precision="fp32")
    assert key["parts"][1] == open_folder(siglip_folder).key(precision="fp32")
    assert weights.key(precision="fp32", resolution=32) == key
    assert weights.key(precision="fp32", resolution=48) != key
    note = json.loads((copy / "encoder.json").read_text())
    note["files"]["open_clip_model.safetensors"] = "0" * 64
    (copy / "encoder.json").write_text(json.dumps(note))
    assert weights.key(precision="fp32") != key


def test_what_cannot_be_combined(tmp_path, clip_folder, siglip_folder):
    other = Path(shutil.copytree(clip_folder, tmp_path / "other"))
    note = json.loads((other / "encoder.json").read_text())
    (other / "encoder.json").write_text(json.dumps(note | {"dimension": 7}))
    with pytest.raises(BakeoffError, match="lengths"):
        derive(tmp_path / "x", "x", "average", [(clip_folder, None), (other, None)])
    with pytest.raises(BakeoffError, match="1 parts"):
        derive(tmp_path / "x", "x", "concatenate", [(clip_folder, None)])
    with pytest.raises(BakeoffError, match="2 parts"):
        derive(tmp_path / "x", "x", "tiles", [(clip_folder, None)] * 2)


def test_interpolated_weights(tmp_path, clip_folder, siglip_folder, images):
    tuned = Path(shutil.copytree(clip_folder, tmp_path / "tuned"))
    file = "open_clip_model.safetensors"
    weights = load_file(tuned / file)
    save_file({k: v + 0.01 for k, v in weights.items()}, tuned / file)
    with pytest.raises(BakeoffError, match="differs from its SHA-256"):
        interpolate(tmp_path / "x", "x", clip_folder, tuned, 0.5)
    note = json.loads((tuned / "encoder.json").read_text())
    note["files"][file] = sha256_of(tuned / file)
    (tuned / "encoder.json").write_text(json.dumps(note))
    for alpha in (0.0, 0.25, 1.0):
        folder = tmp_path / f"{alpha}"
        interpolate(folder, "mixed", clip_folder, tuned, alpha)
        for name, value in load_file(folder / file).items():
            torch.testing.assert_close(value, weights[name] + 0.01 * alpha)
        encoder = load_encoder(folder)
        assert encoder.id == "mixed" and encoder.dimension == 24
    same = encode(load_encoder(tmp_path / "0.0"), images)
    assert torch.equal(same, encode(load_encoder(clip_folder), images))
    with pytest.raises(BakeoffError, match="one architecture"):
        interpolate(tmp_path / "y", "y", clip_folder, siglip_folder, 0.5)


@pytest.fixture
def described(tmp_path, clip_folder):
    """Writes the note of a derived encoder of CLIP, with changes, and opens it."""

    def write(name: str = "mine", **changes):
        derive(tmp_path / name, name, "average", [(clip_folder, None)] * 2)
        path = tmp_path / name / "encoder.json"
        note = json.loads(path.read_text()) | changes
        path.write_text(json.dumps({k: v for k, v in note.items() if v != "none"}))
        return tmp_path / name

    return write


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "none"}, "kind None"),
        ({"kind": "interpolate"}, "kind 'interpolate'"),
        ({"kind": ["average"]}, "kind"),
        ({"tiles": "none"}, "tiles None"),
        ({"tiles": 0}, "tiles 0"),
        ({"parts": "none"}, "no list"),
        ({"parts": []}, "no list"),
        ({"parts": [{"resolution": 3}]}, "no list"),
        ({"parts": [{"folder": "a", "resolution": "3"}]}, "no list"),
        ({"parts": [{"folder": ".", "resolution": None}]}, "made of itself"),
    ],
)
def test_a_derived_note_that_lacks_something_is_refused(described, changes, said):
    with pytest.raises(BakeoffError, match=rf"encoder\.json.*{said}"):
        open_folder(described(**changes))


def test_a_circle_of_derived_encoders_is_refused(described):
    part = {"resolution": None, "folder": "../b"}
    a = described("a", parts=[part])
    b = described("b", parts=[part | {"folder": "../a"}])
    for folder in (a, b):
        with pytest.raises(BakeoffError, match="made of itself"):
            open_folder(folder)


def test_too_few_pixels_for_the_patches_are_one_error(clip_folder, tmp_path):
    derive(
        tmp_path / "tiny", "tiny", "average", [(clip_folder, 1), (clip_folder, None)]
    )
    for folder, resolution in ((clip_folder, 1), (tmp_path / "tiny", None)):
        with pytest.raises(BakeoffError, match=r"@1: got a resolution .* cannot take"):
            load_encoder(folder, resolution=resolution)
