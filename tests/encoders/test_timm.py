"""timm folders: the vectors of a plain timm call."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from bakeoff.encoders import load_encoder
from bakeoff.errors import BakeoffError
from bakeoff.files import sha256_of
from PIL import Image
from safetensors.torch import save_file

ARGS = {"img_size": 32, "patch_size": 8, "embed_dim": 48, "depth": 2, "num_heads": 2}
ARCHITECTURES = {
    "vit_small_patch16_224": ARGS,
    "resnet10t": {},
    "naflexvit_base_patch16_siglip": {"embed_dim": 48, "depth": 1, "num_heads": 2},
}


@pytest.fixture(params=ARCHITECTURES, scope="module")
def folder(request, tmp_path_factory, describe_folder) -> Path:
    """A random model in the form of the hub's timm repositories."""
    name, args = request.param, ARCHITECTURES[request.param]
    folder = tmp_path_factory.mktemp("timm") / name
    folder.mkdir()
    torch.manual_seed(0)
    model = timm.create_model(name, num_classes=0, **args)
    save_file(model.state_dict(), folder / "model.safetensors")
    pretrained = {
        "mean": [0.5, 0.4, 0.3],
        "std": [0.2, 0.25, 0.3],
        "input_size": [3, 32, 32],
        "fixed_input_size": False,
        "crop_pct": 0.9,
        "interpolation": "bicubic",
        "num_classes": 0,
        "first_conv": getattr(model, "pretrained_cfg", {}).get("first_conv"),
        "classifier": getattr(model, "pretrained_cfg", {}).get("classifier"),
    }
    config = {"architecture": name, "num_classes": 0, "pretrained_cfg": pretrained}
    if args:
        config["model_args"] = args
    (folder / "config.json").write_text(json.dumps(config))
    return describe_folder(folder, "timm", model.num_features, 32)


@pytest.fixture
def images() -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [
        Image.fromarray(rng.integers(0, 256, (h, w, 3), np.uint8))
        for w, h in [(50, 31), (31, 70), (32, 32)]
    ]


def test_images_equal_a_plain_call(folder, images):
    model = timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0)
    config = timm.data.resolve_model_data_config(model)
    transform = timm.data.create_transform(**config, is_training=False)
    with torch.no_grad():
        expected = model.eval()(torch.stack([transform(image) for image in images]))
    encoder = load_encoder(folder)
    batch = encoder.collate([encoder.preprocess(image) for image in images])
    assert batch.dtype == torch.uint8 and batch.shape == (3, 3, 32, 32)
    found = encoder.encode_images(batch)
    assert found.shape == (3, encoder.dimension)
    torch.testing.assert_close(found, expected)
    assert found.std() > 0


def test_no_texts(folder):
    encoder = load_encoder(folder)
    assert not encoder.has_text and encoder.logit_scale is None
    with pytest.raises(BakeoffError, match="no text tower"):
        encoder.encode_texts(["a dog"])


def test_another_resolution(folder, images):
    encoder = load_encoder(folder, resolution=64)
    assert encoder.resolution == 64
    batch = encoder.collate([encoder.preprocess(image) for image in images])
    assert batch.shape == (3, 3, 64, 64)
    assert torch.isfinite(encoder.encode_images(batch)).all()


def test_missing_weights(folder, tmp_path):
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "model.safetensors").write_bytes(b"damaged")
    note = json.loads((copy / "encoder.json").read_text())
    note["files"]["model.safetensors"] = sha256_of(copy / "model.safetensors")
    (copy / "encoder.json").write_text(json.dumps(note))
    with pytest.raises(BakeoffError, match="cannot be loaded"):
        load_encoder(copy)
