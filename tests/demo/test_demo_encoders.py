"""The shipped folders: whole, of the size agreed on, and loadable by open_clip."""

import csv
import json
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from bakeoff.demo.encoders import LOSSES, UNTRAINED
from bakeoff.demo.files import sha256
from PIL import Image

SHIPPED = Path(__file__).parents[2] / "resources" / "encoders"
ENCODERS = [*LOSSES, UNTRAINED]


@pytest.fixture(scope="module", params=ENCODERS)
def encoder(request):
    folder = SHIPPED / request.param
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    return (
        json.loads((folder / "encoder.json").read_text()),
        model.eval(),
        preprocess,
        open_clip.get_tokenizer(f"local-dir:{folder}"),
    )


@pytest.mark.parametrize("name", ENCODERS)
def test_card_is_true(name):
    folder = SHIPPED / name
    card = json.loads((folder / "encoder.json").read_text())
    assert card["id"] == name
    assert card["files"] == {
        path.name: sha256(path)
        for path in folder.iterdir()
        if path.name != "encoder.json"
    }
    assert (folder / "open_clip_model.safetensors").stat().st_size < 6e6


def test_loads_and_encodes(encoder):
    card, model, preprocess, tokenizer = encoder
    assert sum(p.numel() for p in model.parameters()) == card["parameters"] < 1.4e6
    picture = Image.fromarray(np.full((80, 50, 3), 128, np.uint8))
    with torch.no_grad():
        image = model.encode_image(preprocess(picture)[None])
        text = model.encode_text(tokenizer(["a drawing of a bicycle", ""]))
    assert image.shape == (1, card["dimension"])
    assert text.shape == (2, card["dimension"])
    assert torch.isfinite(text).all()
    side = card["resolution"]
    assert preprocess(picture).shape == (3, side, side)


def test_what_follows_the_end_of_a_text_does_not_count(encoder):
    """The text is pooled where it ends, and no token sees the padding behind it."""
    _, model, _, tokenizer = encoder
    tokens = tokenizer(["a bicycle"])
    changed = tokens.clone()
    changed[tokens == 0] = 77
    with torch.no_grad():
        difference = model.encode_text(tokens) - model.encode_text(changed)
    assert difference.abs().max() == 0


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
def test_all_share_one_tokenizer(name):
    assert len({sha256(SHIPPED / encoder / name) for encoder in ENCODERS}) == 1


@pytest.mark.parametrize("name", list(LOSSES))
def test_log_is_of_the_shipped_weights(name):
    with (SHIPPED / name / "training.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    model = open_clip.create_model(f"local-dir:{SHIPPED / name}")
    last = rows[-1]
    assert model.logit_scale.exp().item() == pytest.approx(
        float(last["temperature"]), rel=1e-5
    )
    if name == "tiny-siglip":
        assert model.logit_bias.item() == pytest.approx(float(last["bias"]), rel=1e-5)
    assert float(last["loss"]) < float(rows[0]["loss"])
    assert float(last["recall_at_5"]) > 0.1
