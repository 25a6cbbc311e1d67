"""Plain folders, as open_clip, transformers and timm save them, become encoders."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import transformers
from bakeoff.describe import describe_weights
from bakeoff.encoders import load_encoder
from bakeoff.errors import BakeoffError
from bakeoff.plain_folder import PlainFolder, read_plain_folder
from PIL import Image

TINY = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
SIZES = TINY | {"intermediate_size": 48}


def save_timm(folder: Path) -> None:
    model = timm.create_model("test_vit", num_classes=3)
    timm.models.save_for_hf(model, folder, safe_serialization=True)


def save_transformers(folder: Path, words: int) -> None:
    config = transformers.CLIPConfig(
        vision_config=SIZES | {"image_size": 32, "patch_size": 8},
        text_config=SIZES | {"vocab_size": words, "eos_token_id": 1},
        projection_dim=24,
    )
    transformers.CLIPModel(config).save_pretrained(folder)
    transformers.CLIPImageProcessor(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    ).save_pretrained(folder)


@pytest.fixture(scope="module")
def plain(tmp_path_factory, clip_folder, siglip_folder, save_words) -> dict[str, Path]:
    """Folders as the libraries save them, without encoder.json, by a name."""
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("plain")
    for source, name in ((clip_folder, "clip"), (siglip_folder, "siglip")):
        shutil.copytree(
            source, root / name, ignore=shutil.ignore_patterns("encoder.json")
        )
    save_timm(root / "timm")
    save_transformers(root / "transformers", save_words(root / "transformers"))
    return {path.name: path for path in root.iterdir()}


KNOWN = {
    "clip": ("openclip", True, 24, 32),
    "siglip": ("openclip", True, 24, 32),
    "timm": ("timm", False, 64, 160),
    "transformers": ("transformers", True, 24, 32),
}


def entry(found: PlainFolder, **stated: int) -> dict:
    licence = {"licence": "MIT"}
    return {"loader": found.loader, "text": found.text, **licence, **stated}


@pytest.mark.parametrize("name", KNOWN)
def test_a_plain_folder_becomes_an_encoder(plain, tmp_path, name) -> None:
    loader, text, dimension, resolution = KNOWN[name]
    found = read_plain_folder(plain[name])
    assert (found.loader, found.text) == (loader, text)
    describe_weights(tmp_path / "w", "mine", entry(found), found.files)
    note = json.loads((tmp_path / "w/encoder.json").read_text())
    assert (note["dimension"], note["resolution"]) == (dimension, resolution)
    assert (note["id"], note["has_text"], note["licence"]) == ("mine", text, "MIT")
    encoder = load_encoder(tmp_path / "w")
    assert encoder.has_text == text
    picture = encoder.preprocess(Image.new("RGB", (50, 40), "red"))
    vectors = encoder.encode_images(encoder.collate([picture]))
    assert vectors.shape == (1, dimension)
    # Buffers such as positions are numbers of the file, too.
    assert found.parameters * 1e6 == pytest.approx(encoder.parameters, rel=0.02)


def test_what_is_described_gives_the_vectors_of_the_folder(
    clip_folder, plain, tmp_path
) -> None:
    found = read_plain_folder(plain["clip"])
    describe_weights(tmp_path / "w", "mine", entry(found), found.files)
    picture = Image.new("RGB", (50, 40), "red")
    encoders = load_encoder(clip_folder), load_encoder(tmp_path / "w")
    a, b = (e.encode_images(e.collate([e.preprocess(picture)])) for e in encoders)
    np.testing.assert_array_equal(a, b)


@pytest.fixture
def copy(plain, tmp_path):
    def copy(name: str) -> Path:
        return Path(shutil.copytree(plain[name], tmp_path / "copy"))

    return copy


def test_weights_of_any_name_and_nothing_but_what_is_read(copy, tmp_path) -> None:
    folder = copy("clip")
    (folder / "open_clip_model.safetensors").rename(folder / "epoch 3.safetensors")
    for name in ("train.py", "checkpoint.pt", "notes.txt", "model.bin"):
        (folder / name).write_text("raise SystemExit")
    found = read_plain_folder(folder)
    assert set(found.files) == {"open_clip_config.json", "open_clip_model.safetensors"}
    describe_weights(tmp_path / "w", "mine", entry(found), found.files)
    assert load_encoder(tmp_path / "w").dimension == 24


@pytest.mark.parametrize(
    ("name", "removed", "words"),
    [
        ("clip", "open_clip_model.safetensors", "without weights (open_clip_model.s"),
        ("siglip", "tokenizer.json", "without a tokenizer (tokenizer.json)"),
        ("timm", "model.safetensors", "without weights (model.safetensors)"),
        ("timm", "config.json", "model.safetensors, without a configuration"),
        (
            "transformers",
            "preprocessor_config.json",
            "without preprocessor_config.json",
        ),
        ("transformers", "tokenizer.json", "without a tokenizer"),
    ],
)
def test_what_is_missing_is_named_with_how_to_save_it(
    copy, name, removed, words
) -> None:
    folder = copy(name)
    (folder / removed).unlink()
    with pytest.raises(BakeoffError) as caught:
        read_plain_folder(folder)
    assert words in str(caught.value)
    assert "save_for_hf" in str(caught.value) or "save_pretrained" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\xff" * 40, b"[1, 2]" * 9])
def test_damaged_files_are_named(copy, content) -> None:
    folder = copy("timm")
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(BakeoffError, match=r"model\.safetensors.*damaged"):
        read_plain_folder(folder)
    (folder / "config.json").write_bytes(content)
    with pytest.raises(BakeoffError, match=r"config\.json.*no readable configuration"):
        read_plain_folder(folder)


@pytest.mark.parametrize("stated", [{"dimension": 512}, {"resolution": 224}])
def test_numbers_that_the_model_does_not_have_are_refused(
    plain, tmp_path, stated
) -> None:
    found = read_plain_folder(plain["clip"])
    with pytest.raises(BakeoffError, match=r"catalogue, mine\..*Set "):
        describe_weights(tmp_path / "w", "mine", entry(found, **stated), found.files)
    assert not (tmp_path / "w/encoder.json").exists()
