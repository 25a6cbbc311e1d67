"""A random open_clip encoder, coloured pictures and a prompt bank, all tiny."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pyarrow as pa
import torch
from bakeoff.finetune.recipe import Recipe
from bakeoff.finetune.train import finetune
from bakeoff.images import sha256_of
from bakeoff.schemas import SCHEMAS
from PIL import Image
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

COLOURS = {"blue": (30, 40, 220), "green": (20, 200, 40), "red": (220, 30, 30)}
BANK = [
    (label, place, template.format(label))
    for label in COLOURS
    for place, template in enumerate(["a {} wall", "the {} one", "so {}"])
]


def write_tokenizer(folder: Path) -> int:
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordLevelTrainer(special_tokens=["[PAD]", "[EOS]", "[UNK]"])
    tokenizer.train_from_iterator([text for _, _, text in BANK], trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"pad_token": "[PAD]", "eos_token": "[EOS]", "unk_token": "[UNK]"}
    config = {"tokenizer_class": "PreTrainedTokenizerFast", **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return tokenizer.get_vocab_size()


def write_encoder(folder: Path, bias: float | None = None) -> Path:
    """An untrained encoder: 32 pixels, patches of 8, width 32, two layers."""
    folder.mkdir(parents=True)
    layers: dict[str, Any] = {"width": 32, "layers": 2}
    model_cfg = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "patch_size": 8, "head_width": 16, **layers},
        "text_cfg": {
            "context_length": 6,
            "vocab_size": write_tokenizer(folder),
            "hf_tokenizer_name": "local",
            "heads": 2,
            "pool_type": "last",
            "no_causal_mask": True,
            **layers,
        },
    }
    if bias is not None:
        model_cfg["init_logit_bias"] = bias
    preprocess = {"mean": [0.5] * 3, "std": [0.5] * 3, "size": 32}
    config = {"model_cfg": model_cfg, "preprocess_cfg": preprocess}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    torch.manual_seed(0)
    model = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
    }
    note = {"id": folder.name, "loader": "openclip", "files": files}
    note |= {"dimension": 16, "resolution": 32, "has_text": True, "licence": "none"}
    (folder / "encoder.json").write_text(json.dumps(note))
    return folder


def write_images(folder: Path, per_class: int) -> pa.Table:
    """Noisy pictures of one colour each, and their manifest."""
    rng = np.random.default_rng(0)
    rows = []
    for label, colour in COLOURS.items():
        for number in range(per_class):
            noise = rng.normal(0, 40, (40, 40, 3))
            pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
            path = Path(label) / f"{number}.png"
            (folder / label).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / path)
            row = {
                "image_id": sha256_of(folder / path),
                "path": str(path),
                "label": label,
            }
            rows.append({**row, "split": "train", "width": 40, "height": 40})
    return pa.Table.from_pylist(rows, schema=SCHEMAS["manifest"].arrow())


class Study:
    """Everything that `finetune` asks for."""

    def __init__(self, folder: Path, per_class: int) -> None:
        self.folder = folder
        self.clip = write_encoder(folder / "tiny-clip")
        self.siglip = write_encoder(folder / "tiny-siglip", bias=-4.0)
        self.manifest = write_images(folder / "images", per_class)
        self.ids = self.manifest.column("image_id").to_pylist()

    def train(self, folder: Path, encoder: Path | None = None, seed: int = 0, **recipe):
        """Fine-tune into `folder`/encoder; the rows of the training table."""
        defaults = {"epochs": 4, "batch": 10, "micro_batch": 4, "lr": 1e-3}
        return finetune(
            self.manifest,
            self.folder / "images",
            self.ids,
            BANK,
            encoder or self.clip,
            Recipe.of(defaults | recipe),
            folder / "encoder",
            folder / "state",
            seed=seed,
        )


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "encoder" / "open_clip_model.safetensors")


# What several processes must agree on: memory, averages, a choice, an odd share.
TRAINING = {"queue": 8, "drift_every": 2, "ema": 0.5, "validation": 0.3, "batch": 7}
