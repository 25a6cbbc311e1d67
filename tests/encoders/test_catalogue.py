"""Every number of the catalogue equals what the libraries build, on no device."""

import json
from pathlib import Path

import open_clip
import pytest
import timm
import yaml
from bakeoff.weights import _write_openclip_config
from open_clip.transform import PreprocessCfg
from torch import device, nn
from transformers import SiglipConfig, SiglipModel

ROOT = Path(__file__).parents[2]
ALL = yaml.safe_load((ROOT / "config/encoders.yaml").read_text(encoding="utf-8"))
CATALOGUE = {name: entry for name, entry in ALL.items() if "derived" not in entry}
# What the hub's config.json of each transformers entry says (vision; text is as wide).
SIGLIP = {
    "siglip-b-16-224-hf": (768, 3072, 12, 12, 16, 224, 32_000),
    "siglip-l-16-384-hf": (1024, 4096, 24, 16, 16, 384, 32_000),
    "siglip-so400m-14-384-hf": (1152, 4304, 27, 16, 14, 384, 32_000),
    "siglip2-so400m-naflex": (1152, 4304, 27, 16, 16, 256, 256_000),
}


def entries(loader: str) -> list:
    return [
        pytest.param(entry, id=name)
        for name, entry in CATALOGUE.items()
        if entry["loader"] == loader and "folder" not in entry
    ]


def millions(model: nn.Module) -> float:
    return round(sum(p.numel() for p in model.parameters()) / 1e6, 1)


KEYS = {"loader", "licence", "resolution", "dimension", "text", "parameters"}


def test_every_entry_is_complete():
    for name, entry in CATALOGUE.items():
        assert set(entry) >= KEYS, name
        assert entry["loader"] in ("openclip", "transformers", "timm"), name
        assert {"hub", "pretrained", "folder"} & set(entry), name


@pytest.mark.parametrize(
    "entry", [e for e in CATALOGUE.values() if "folder" in e], ids=lambda e: e["folder"]
)
def test_shipped(entry):
    file = ROOT / entry["folder"] / "encoder.json"
    if not file.exists():
        pytest.skip("not shipped yet")
    note = json.loads(file.read_text())
    assert note["loader"] == entry["loader"] and note["licence"] == entry["licence"]
    assert note["resolution"] == entry["resolution"]
    assert note["dimension"] == entry["dimension"]
    assert note["has_text"] is entry["text"]
    assert round(note["parameters"] / 1e6, 1) == entry["parameters"]


# Mean, deviation, filter, how the square comes about, ids per text: of the papers.
CLIP = (0.48145466, 0.26862954, "bicubic", "shortest", 77)
SIGLIP_2023 = (0.5, 0.5, "bicubic", "squash", 64)


@pytest.mark.parametrize("entry", entries("openclip"))
def test_openclip(entry, tmp_path, monkeypatch):
    """What is written for a tag builds what open_clip builds, down to every module.

    That is activation, pooling, preprocessing and the rules of texts.
    """
    name, tag = entry["name"], entry.get("pretrained", "webli")
    repo = _write_openclip_config({"name": name, "pretrained": tag}, tmp_path)
    assert repo == entry.get("hub", repo)
    monkeypatch.setattr("open_clip.factory.download_pretrained", lambda *_, **__: "")
    options = {"device": "meta", "load_weights": False, "pretrained_text": False}
    # By itself, open_clip only warns of a tag that needs another activation.
    quick = tag == "openai"
    with device("meta"):
        ours = open_clip.create_model(f"local-dir:{tmp_path}", **options)
        theirs = open_clip.create_model(
            name, pretrained=tag, force_quick_gelu=quick, **options
        )
    assert repr(ours) == repr(theirs)
    assert ("QuickGELU" in repr(ours.visual)) == quick
    assert ours.visual.image_size == (entry["resolution"],) * 2
    assert millions(ours) == entry["parameters"]
    config = json.loads((tmp_path / "open_clip_config.json").read_text())["model_cfg"]
    assert config["embed_dim"] == entry["dimension"] and entry["text"] is True
    family = SIGLIP_2023 if "SigLIP" in name else CLIP
    assert _preprocessing(ours) == _preprocessing(theirs) == family[:4]
    assert max(PreprocessCfg(**ours.visual.preprocess_cfg).input_size) == max(
        ours.visual.image_size
    )
    assert ours.context_length == family[4]
    clean = config["text_cfg"].get("tokenizer_kwargs", {}).get("clean")
    assert clean == ("canonicalize" if "SigLIP" in name else None)
    if "SigLIP" in name:
        assert ours.visual.trunk.global_pool == "map"
        assert ours.text.pool_type == "last" and ours.text.attn_mask is None


def _preprocessing(model: nn.Module) -> tuple:
    config = PreprocessCfg(**model.visual.preprocess_cfg)
    mean, std = config.mean[0], config.std[0]
    return mean, std, config.interpolation, config.resize_mode


@pytest.mark.parametrize("entry", entries("timm"))
def test_timm(entry):
    with device("meta"):
        model = timm.create_model(entry["name"], num_classes=0)
    assert model.pretrained_cfg["input_size"] == (3,) + (entry["resolution"],) * 2
    assert model.pretrained_cfg["hf_hub_id"] == entry["hub"]
    assert model.num_features == entry["dimension"]
    assert millions(model) == entry["parameters"]
    assert entry["text"] is False


@pytest.mark.parametrize("name", SIGLIP)
def test_transformers(name):
    entry = CATALOGUE[name]
    width, mlp, depth, heads, patch, resolution, words = SIGLIP[name]
    tower = {
        "hidden_size": width,
        "intermediate_size": mlp,
        "num_hidden_layers": depth,
        "num_attention_heads": heads,
    }
    config = SiglipConfig(
        vision_config=tower | {"patch_size": patch, "image_size": resolution},
        text_config=tower | {"vocab_size": words, "projection_size": width},
    )
    with device("meta"):
        model = SiglipModel(config)
    assert (width, resolution) == (entry["dimension"], entry["resolution"])
    assert millions(model) == entry["parameters"]
    assert entry["text"] is True


def test_every_transformers_entry_is_compared():
    assert set(SIGLIP) == {
        name for name, entry in CATALOGUE.items() if entry["loader"] == "transformers"
    }
