"""A repository with a small random open_clip model, as it would lie on the hub."""

import json
from typing import Any

import open_clip
import torch
from safetensors.torch import save

REPO = "someone/small-clip"
WEIGHTS = "open_clip_model.safetensors"
ENTRY: dict[str, Any] = {
    "loader": "openclip",
    "hub": REPO,
    "resolution": 16,
    "dimension": 8,
    "text": True,
    "parameters": 0.8,
    "licence": "MIT",
}
MODEL: dict[str, Any] = {
    "embed_dim": 8,
    "vision_cfg": {
        "image_size": 16,
        "layers": 1,
        "width": 16,
        "head_width": 8,
        "patch_size": 8,
    },
    "text_cfg": {
        "context_length": 8,
        "vocab_size": 49408,
        "width": 8,
        "heads": 1,
        "layers": 1,
    },
}


def repository(**text: Any) -> dict[str, bytes]:
    """Its files by name; `text` is added to the configuration of the text tower."""
    torch.manual_seed(0)
    vision, plain = MODEL["vision_cfg"], MODEL["text_cfg"]
    model = open_clip.CLIP(MODEL["embed_dim"], dict(vision), dict(plain))
    config = {
        "model_cfg": MODEL | {"text_cfg": plain | text},
        "preprocess_cfg": {"mean": [0.5] * 3},
    }
    return {
        "README.md": b"# words",
        "open_clip_config.json": json.dumps(config).encode(),
        WEIGHTS: save(model.state_dict()),
        "open_clip_pytorch_model.bin": b"a pickle that nobody needs",
    }
