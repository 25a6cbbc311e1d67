"""The tiny encoders: one architecture, one stream of captioned scenes, two losses.

`tiny-clip` is trained with InfoNCE, `tiny-siglip` with the pairwise sigmoid loss, and
`tiny-random` is not trained. Everything else is the same, to the bit: the weights they
start from, the tokenizer, the captions and scenes of every step and their order, the
optimiser and its schedule. So a difference between the two is the loss's.

The material is every drawing that shows no activity (`drawings.material`), composed
into a fresh scene each time, captioned by its name.
"""

import json
import math
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.loss import ClipLoss, SigLipLoss
from safetensors.torch import save_file

from bakeoff.demo.files import sha256, write_csv
from bakeoff.demo.tokenizer import EOS, PAD, train_tokenizer
from bakeoff.demo.training import RESOLUTION, TEMPLATES, Material, Plan, train
from bakeoff.tables import atomic_path

LOSSES = {"tiny-clip": ClipLoss, "tiny-siglip": SigLipLoss}
UNTRAINED = "tiny-random"

DIMENSION = 128
CONTEXT_LENGTH = 20
VOCABULARY = 1792


def write_encoder(folder: Path, encoder: str, plan: Plan, drawings: Material) -> None:
    """Train `encoder` by `plan` and write its folder, which `open_clip` reads.

    `folder` gets open_clip_config.json, open_clip_model.safetensors, the tokenizer,
    training.csv (one row per `plan.measure_every` steps; only for a trained encoder)
    and encoder.json with the SHA-256 of the others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    train_tokenizer(
        [drawing.name for drawing in drawings.drawings], TEMPLATES, VOCABULARY
    ).save(folder)
    config = model_config(encoder, plan)
    _write_json(folder / "open_clip_config.json", config)
    model = new_model(config["model_cfg"], plan.seed)
    if encoder != UNTRAINED:
        tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
        log = train(model, LOSSES[encoder](), tokenizer, drawings, plan)
        write_csv(folder / "training.csv", [_rounded(row) for row in log])
    with atomic_path(folder / "open_clip_model.safetensors") as path:
        save_file(model.state_dict(), path, {"format": "pt"})
    _write_json(folder / "encoder.json", _card(folder, encoder, model))


def model_config(encoder: str, plan: Plan) -> dict[str, Any]:
    """The folder's open_clip_config.json: the architecture and the preprocessing.

    The multiplier of the cosines starts at 10 for both losses. The sigmoid's bias
    starts at log P/(1-P), where P = 1/batch is the share of pairs that are positive;
    the -10 of Zhai et al. 2023 (section 3.2) is its value for a batch of 22,000.
    """
    model = {
        "embed_dim": DIMENSION,
        "init_logit_scale": math.log(10),
        "vision_cfg": {
            "image_size": RESOLUTION,
            "timm_model_name": "test_convnext3",
            "timm_pool": "avg",
            "timm_proj": "linear",
        },
        "text_cfg": {
            "context_length": CONTEXT_LENGTH,
            "vocab_size": VOCABULARY,
            "hf_tokenizer_name": ".",
            "width": 96,
            "heads": 4,
            "layers": 2,
            "pool_type": "eos",
            "pad_id": PAD,
            "eos_id": EOS,
        },
    }
    if LOSSES.get(encoder) is SigLipLoss:
        model["init_logit_bias"] = -math.log(plan.batch - 1)
    preprocess = {
        "size": RESOLUTION,
        "mean": [0.5] * 3,
        "std": [0.5] * 3,
        "interpolation": "bicubic",
        "resize_mode": "squash",
    }
    return {"model_cfg": model, "preprocess_cfg": preprocess}


def new_model(model_cfg: dict[str, Any], seed: int) -> open_clip.CLIP:
    """A model of random weights that depend on `seed` and the architecture alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = open_clip.CLIP(**model_cfg)
        _initialise(model.visual)
        return model


def _initialise(tower: torch.nn.Module) -> None:
    """Weights of variance 1/fan-in, and blocks that count from the first step.

    timm's (standard deviation 0.02, layer scale 1e-6) are meant for towers of many
    times the width; here they leave a nearly linear network for hundreds of steps.
    """
    for name, parameter in tower.named_parameters():
        if name.endswith("gamma"):
            torch.nn.init.constant_(parameter, 1.0)
        elif parameter.ndim >= 2 and "head" not in name:
            torch.nn.init.kaiming_normal_(parameter, nonlinearity="linear")


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Numbers to six digits, as they are written to the log."""
    return {
        key: f"{value:.6g}" if isinstance(value, float) else value
        for key, value in row.items()
    }


def _card(folder: Path, encoder: str, model: open_clip.CLIP) -> dict[str, Any]:
    """encoder.json: what the folder holds and where it comes from."""
    files = sorted(
        file
        for file in folder.iterdir()
        if file.name != "encoder.json" and not file.name.startswith(".")
    )
    return {
        "id": encoder,
        "loader": "openclip",
        "source": "trained by rule demo_encoders"
        if encoder in LOSSES
        else "initialised by rule demo_encoders, never trained",
        # The weights are adapted from OpenMoji's drawings, which are CC BY-SA 4.0.
        "licence": "CC-BY-SA-4.0",
        "attribution": "OpenMoji, https://openmoji.org",
        "files": {file.name: sha256(file) for file in files},
        "dimension": DIMENSION,
        "resolution": RESOLUTION,
        "has_text": True,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }


def _write_json(path: Path, value: dict[str, Any]) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
