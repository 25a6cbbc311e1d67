"""Small open_clip models with random weights, saved as weights folders."""

import hashlib
import json
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

PREPROCESS = {
    "mean": [0.48, 0.45, 0.41],
    "std": [0.27, 0.26, 0.28],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}
WORDS = ["a", "photo", "of", "person", "riding", "dog", "cat", "bike", ".", "!"]


def config(**text: Any) -> dict[str, Any]:
    return {
        "embed_dim": 24,
        "vision_cfg": {
            "image_size": 32,
            "layers": 2,
            "width": 64,
            "head_width": 32,
            "patch_size": 8,
        },
        "text_cfg": {
            "context_length": 12,
            "vocab_size": 49408,
            "width": 32,
            "heads": 2,
            "layers": 2,
            **text,
        },
    }


def save_openclip(
    folder: Path, model_cfg: dict[str, Any], preprocess: dict[str, Any], seed: int = 0
) -> Path:
    """A weights folder with a random model of this configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": model_cfg, "preprocess_cfg": preprocess})
    )
    torch.manual_seed(seed)
    model = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return describe(folder, "openclip", model_cfg["embed_dim"], 32)


def describe(folder: Path, loader: str, dimension: int, resolution: int) -> Path:
    """Writes encoder.json for the files of the folder."""
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.name != "encoder.json"
    }
    note = {
        "id": folder.name,
        "loader": loader,
        "files": files,
        "dimension": dimension,
        "resolution": resolution,
        "has_text": True,
        "parameters": 1,
        "licence": "none",
        "source": "random",
    }
    (folder / "encoder.json").write_text(json.dumps(note))
    return folder


def save_tokenizer(folder: Path) -> int:
    """A word-level tokenizer in the form that transformers reads; its size."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordLevelTrainer(special_tokens=["[PAD]", "[EOS]", "[UNK]"])
    tokenizer.train_from_iterator([" ".join(WORDS)], trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "pad_token": "[PAD]",
                "eos_token": "[EOS]",
                "unk_token": "[UNK]",
            }
        )
    )
    return tokenizer.get_vocab_size()


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory) -> Path:
    """CLIP's layout: its own BPE, InfoNCE's scale, no bias."""
    folder = tmp_path_factory.mktemp("encoders") / "small-clip"
    return save_openclip(folder, config(), PREPROCESS)


@pytest.fixture(scope="session")
def siglip_folder(tmp_path_factory) -> Path:
    """SigLIP's layout: its own tokenizer files, squashed input, a bias."""
    folder = tmp_path_factory.mktemp("encoders") / "small siglip"
    size = save_tokenizer(folder)
    model_cfg = config(
        vocab_size=size,
        hf_tokenizer_name="local",
        tokenizer_kwargs={"clean": "canonicalize"},
        no_causal_mask=True,
        pool_type="last",
    )
    model_cfg |= {"init_logit_bias": -10.0, "init_logit_scale": 2.302585092994046}
    model_cfg["custom_text"] = True
    preprocess = PREPROCESS | {"resize_mode": "squash", "mean": [0.5] * 3}
    return save_openclip(folder, model_cfg, preprocess | {"std": [0.5] * 3})


@pytest.fixture(scope="session")
def describe_folder():
    return describe


@pytest.fixture(scope="session")
def save_words():
    return save_tokenizer
