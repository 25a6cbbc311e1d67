"""open_clip folders: the vectors of a plain open_clip call, and what is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from bakeoff.encoders import load_encoder, open_folder
from bakeoff.errors import BakeoffError
from PIL import Image

FOLDERS = ["clip_folder", "siglip_folder"]
TEXTS = ["A photo of a DOG!", "riding_bike", "", "a " * 40]


@pytest.fixture
def images() -> list[Image.Image]:
    rng = np.random.default_rng(0)
    sizes = [(50, 31), (31, 50), (32, 32), (8, 90)]
    return [
        Image.fromarray(rng.integers(0, 256, (h, w, 3), np.uint8)) for w, h in sizes
    ]


@pytest.fixture(params=FOLDERS)
def folder(request) -> Path:
    return request.getfixturevalue(request.param)


def plain(folder: Path):
    return open_clip.create_model_from_pretrained(f"local-dir:{folder}")


def test_images_equal_a_plain_call_to_the_bit(folder, images):
    model, transform = plain(folder)
    with torch.no_grad():
        expected = model.eval().encode_image(
            torch.stack([transform(i) for i in images])
        )
    encoder = load_encoder(folder)
    batch = encoder.collate([encoder.preprocess(image) for image in images])
    assert batch.dtype == torch.uint8 and batch.shape == (4, 3, 32, 32)
    found = encoder.encode_images(batch)
    assert found.dtype == torch.float32 and found.shape == (4, encoder.dimension)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_texts_equal_a_plain_call(folder):
    model, _ = plain(folder)
    tokens = open_clip.get_tokenizer(f"local-dir:{folder}")(TEXTS)
    with torch.no_grad():
        expected = model.eval().encode_text(tokens)
    encoder = load_encoder(folder)
    assert torch.equal(encoder.tokenize(TEXTS), tokens)
    torch.testing.assert_close(encoder.encode_texts(TEXTS), expected)


def test_scale_and_bias_come_from_the_checkpoint(clip_folder, siglip_folder):
    clip, siglip = load_encoder(clip_folder), load_encoder(siglip_folder)
    assert clip.logit_scale == pytest.approx(1 / 0.07) and clip.logit_bias is None
    assert siglip.logit_scale == pytest.approx(10) and siglip.logit_bias == -10


def test_attributes(clip_folder):
    encoder = load_encoder(clip_folder)
    assert (encoder.id, encoder.dimension, encoder.resolution) == ("small-clip", 24, 32)
    assert encoder.has_text and encoder.device == "cpu"
    model, _ = plain(clip_folder)
    assert encoder.parameters == sum(p.numel() for p in model.parameters())
    assert encoder.parameters_image < encoder.parameters
    assert not any(module.training for module in encoder.model.modules())


def test_another_resolution_interpolates_positions(clip_folder, images):
    encoder = load_encoder(clip_folder, resolution=48)
    assert encoder.resolution == 48 and encoder.key["resolution"] == 48
    batch = encoder.collate([encoder.preprocess(image) for image in images])
    assert batch.shape == (4, 3, 48, 48)
    assert torch.isfinite(encoder.encode_images(batch)).all()


def test_bf16_is_close_and_leaves_texts_alone(clip_folder, images):
    exact = load_encoder(clip_folder)
    fast = load_encoder(clip_folder, precision="bf16")
    batch = exact.collate([exact.preprocess(image) for image in images])
    a, b = exact.encode_images(batch), fast.encode_images(batch)
    assert b.dtype == torch.float32 and not torch.equal(a, b)
    assert torch.nn.functional.cosine_similarity(a, b).min() > 0.999
    assert torch.equal(exact.encode_texts(TEXTS), fast.encode_texts(TEXTS))


def test_weights_keep_their_gradient_flag(clip_folder):
    """Frozen bf16 weights take the slow path on CPUs."""
    encoder = load_encoder(clip_folder, precision="bf16")
    assert all(p.requires_grad for p in encoder.model.visual.parameters())
    assert not encoder.encode_images(
        torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    ).is_inference()


@pytest.fixture
def copy(clip_folder, tmp_path) -> Path:
    return Path(shutil.copytree(clip_folder, tmp_path / "copy"))


def test_changed_and_missing_files_are_all_named(copy):
    (copy / "open_clip_config.json").write_text("{}")
    (copy / "open_clip_model.safetensors").unlink()
    with pytest.raises(
        BakeoffError, match=r"config\.json differs.*|model.*missing"
    ) as e:
        load_encoder(copy)
    assert "missing" in str(e.value) and "differs" in str(e.value)


def test_files_that_do_not_fit_are_one_clear_error(copy):
    config = json.loads((copy / "open_clip_config.json").read_text())
    config["model_cfg"]["vision_cfg"]["width"] = 96
    (copy / "open_clip_config.json").write_text(json.dumps(config))
    note = json.loads((copy / "encoder.json").read_text())
    del note["files"]["open_clip_config.json"]
    (copy / "encoder.json").write_text(json.dumps(note))
    with pytest.raises(BakeoffError, match="cannot be loaded"):
        load_encoder(copy)


def test_folders_that_are_none(tmp_path):
    with pytest.raises(BakeoffError, match=r"encoder\.json"):
        load_encoder(tmp_path)
    (tmp_path / "encoder.json").write_text('{"id": "x", "loader": "keras"}')
    with pytest.raises(BakeoffError, match="keras"):
        load_encoder(tmp_path)


def test_every_change_that_matters_changes_the_key(copy, monkeypatch):
    weights = open_folder(copy)
    key = weights.key(precision="fp32")
    assert key == open_folder(copy).key(precision="fp32")
    assert key["files"].keys() == {
        "open_clip_config.json",
        "open_clip_model.safetensors",
    }
    others = [
        weights.key(precision="bf16"),
        weights.key(precision="fp32", resolution=64),
    ]
    monkeypatch.setattr("bakeoff.encoders.folder.NUMERICS", 99)
    others.append(weights.key(precision="fp32"))
    monkeypatch.undo()
    (copy / "tokenizer.json").write_text("{}")
    others.append(weights.key(precision="fp32"))
    (copy / "README.md").write_text("words change nothing")
    assert weights.key(precision="fp32") == others[-1]
    assert all(other != key for other in others)


def test_importing_the_package_is_light():
    import subprocess
    import sys

    code = (
        "import sys, bakeoff.extract; "
        "print([m for m in ('torch', 'open_clip', 'transformers', 'timm', 'sklearn')"
        " if m in sys.modules])"
    )
    root = Path(__file__).parents[2] / "workflow/scripts"
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "[]"
