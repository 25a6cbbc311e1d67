"""A fine-tuned model in the form of any other encoder's folder."""

import hashlib
import json
import math
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from bakeoff.documents import read_json

_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth")


def save_encoder(
    model: Any, source: Path, out: Path, provenance: dict[str, Any]
) -> None:
    """Write `model`, fine-tuned from the encoder in `source`, as the folder `out`.

    open_clip reads the folder as `local-dir:`. Configuration and tokenizer are those of
    `source`, but for a bias that the model has gained; `encoder.json` has the id of the
    folder, the SHA-256 of every file and `provenance`. The folder appears whole or not
    at all; one that is there is replaced.
    """
    temporary = out.with_name(f".{out.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    for file in sorted(source.iterdir()):
        hidden = file.name.startswith(".")  # what a fetch notes for itself
        if file.is_file() and not hidden and file.suffix not in (*_WEIGHTS, ".csv"):
            shutil.copyfile(file, temporary / file.name)
    _write_config(model, temporary / "open_clip_config.json")
    weights = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in model.state_dict().items()
    }
    save_file(
        weights, temporary / "open_clip_model.safetensors", metadata={"format": "pt"}
    )
    _write_card(temporary, source, out.name, provenance)
    shutil.rmtree(out, ignore_errors=True)
    temporary.replace(out)


def _write_config(model: Any, path: Path) -> None:
    """The architecture; open_clip makes a bias only where the configuration has one."""
    config = read_json(path)
    if model.logit_bias is not None:
        config["model_cfg"].setdefault("init_logit_bias", _number(model.logit_bias))
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _write_card(
    folder: Path, source: Path, name: str, provenance: dict[str, Any]
) -> None:
    card = read_json(folder / "encoder.json")
    card["source"] = f"fine-tuned from {card.get('id', source.name)}"
    card["finetuned"] = provenance
    card["id"] = name
    card["files"] = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.iterdir())
        if file.name != "encoder.json"
    }
    text = json.dumps(card, indent=2, sort_keys=True) + "\n"
    (folder / "encoder.json").write_text(text, encoding="utf-8")


def _number(value: torch.Tensor) -> float:
    number = float(value.detach())
    if not math.isfinite(number):
        raise ValueError(f"bias {number}")
    return number
