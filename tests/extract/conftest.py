"""A folder of small pictures, its manifest, and a small encoder to extract with."""

import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import open_clip
import pyarrow as pa
import pytest
import torch
from bakeoff.manifest import build_manifest
from PIL import Image
from safetensors.torch import save_file

MODEL = {
    "embed_dim": 16,
    "vision_cfg": {
        "image_size": 16,
        "layers": 1,
        "width": 32,
        "head_width": 16,
        "patch_size": 8,
    },
    "text_cfg": {
        "context_length": 10,
        "vocab_size": 49408,
        "width": 16,
        "heads": 2,
        "layers": 1,
    },
}


def _add_image(folder: Path, number: int) -> Path:
    pixels = np.random.default_rng(number).integers(0, 256, (20, 24, 3), np.uint8)
    path = folder / ("even" if number % 2 == 0 else "odd") / f"{number}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def _table(folder: Path) -> pa.Table:
    manifest, _ = build_manifest(folder)
    return pa.table({name: manifest[name] for name in ("image_id", "path", "label")})


def _save_encoder(folder: Path, seed: int) -> Path:
    folder.mkdir()
    config = {"model_cfg": MODEL, "preprocess_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    torch.manual_seed(seed)
    model = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
    }
    note = {"id": folder.name, "loader": "openclip", "files": files, "has_text": True}
    note |= {"dimension": 16, "resolution": 16, "parameters": 10}
    (folder / "encoder.json").write_text(json.dumps(note))
    return folder


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory) -> Path:
    return _save_encoder(tmp_path_factory.mktemp("extract") / "small", seed=0)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Nine pictures: one more than two batches of four."""
    folder = tmp_path / "images"
    for number in range(9):
        _add_image(folder, number)
    return folder


@pytest.fixture(scope="session")
def save_encoder() -> Callable[..., Path]:
    return _save_encoder


@pytest.fixture
def add_image(images: Path) -> Callable[[int], Path]:
    """Adds the picture of this number to the folder."""
    return partial(_add_image, images)


@pytest.fixture
def manifest(images: Path) -> Callable[[], pa.Table]:
    """The manifest of the folder as it is when called."""
    return partial(_table, images)
