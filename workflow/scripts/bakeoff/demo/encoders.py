"""The tiny encoders: one architecture, one stream of captioned scenes, two losses.

`tiny-clip` is trained with InfoNCE, `tiny-siglip` with the pairwise sigmoid loss, and
`tiny-random` is not trained. Everything else is the same, to the bit: the weights they
start from, the tokenizer, the captions and scenes of every step and their order, the
optimiser and its schedule. So a difference between the two is the loss's.

The material is every drawing that shows no activity (`drawings.material`), composed
into a fresh scene each time, captioned by its name.
"""

import csv
import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from open_clip.loss import ClipLoss, SigLipLoss
from open_clip.tokenizer import HFTokenizer
from PIL import Image
from safetensors.torch import save_file

from bakeoff.demo.drawings import Drawing, material, render
from bakeoff.demo.scenes import Variation, compose
from bakeoff.demo.tokenizer import BOS, EOS, PAD, train_tokenizer
from bakeoff.tables import atomic_path

LOSSES = {"tiny-clip": ClipLoss, "tiny-siglip": SigLipLoss}
UNTRAINED = "tiny-random"

RESOLUTION = 64
DIMENSION = 128
CONTEXT_LENGTH = 20
VOCABULARY = 1792
TEMPLATES = ("{}", "{}", "a {}", "a drawing of {}", "a picture of a {}", "this is {}")
_TONE_NAMED = 0.3  # share of captions that keep the skin tone of a name
_HELD_OUT_EVERY = 20  # one drawing in so many is never trained on
_RENDERED = 72  # pixels: the side of OpenMoji's own grid


@dataclass(frozen=True)
class Plan:
    """How to train. `batch` counts pairs; `warmup` and `measure_every` count steps.

    Over the share `easy` of the steps the scenes grow from plain ones to those that the
    activities are shown in: from scratch, on those alone, nothing is learned for long.
    """

    steps: int = 2400
    batch: int = 128
    lr: float = 2e-3
    warmup: int = 150
    weight_decay: float = 0.05
    clip_norm: float = 1.0
    easy: float = 0.5
    measure_every: int = 100
    seed: int = 0


@dataclass(frozen=True)
class Material:
    """Drawings and their RGBA renderings, item by item."""

    drawings: Sequence[Drawing]
    pictures: Sequence[Image.Image]

    def part(self, indices: Sequence[int]) -> "Material":
        """Some of the items, in the order of `indices`."""
        return Material(
            [self.drawings[i] for i in indices], [self.pictures[i] for i in indices]
        )


def write_encoder(folder: Path, encoder: str, plan: Plan, drawings: Material) -> None:
    """Train `encoder` by `plan` and write its folder, which `open_clip` reads.

    `folder` gets open_clip_config.json, open_clip_model.safetensors, the tokenizer,
    training.csv (one row per `plan.measure_every` steps; only for a trained encoder) and
    encoder.json with the SHA-256 of the others.
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
        log = list(train(model, LOSSES[encoder](), tokenizer, drawings, plan))
        _write_log(folder / "training.csv", log)
    with atomic_path(folder / "open_clip_model.safetensors") as path:
        save_file(model.state_dict(), path, {"format": "pt"})
    _write_json(folder / "encoder.json", _card(folder, encoder, model))


def load_material() -> Material:
    """Every drawing that shows no activity, rendered."""
    drawings = material()
    return Material(drawings, [render(drawing, _RENDERED) for drawing in drawings])


def model_config(encoder: str, plan: Plan) -> dict[str, Any]:
    """The folder's open_clip_config.json: the architecture and the preprocessing.

    The multiplier of the cosines starts at 10 for both losses. The sigmoid's bias starts
    at log P/(1-P), where P = 1/batch is the share of pairs that are positive; the paper's
    -10 is that value for a batch of about 22,000 (Zhai et al. 2023, section 3.2).
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
        return open_clip.CLIP(**model_cfg)


def train(
    model: open_clip.CLIP,
    loss: ClipLoss | SigLipLoss,
    tokenizer: HFTokenizer,
    drawings: Material,
    plan: Plan,
) -> Iterator[dict[str, float]]:
    """Train `model` in place; yields a row of the log every `plan.measure_every` steps.

    A row holds the step, the mean loss since the last row, the learning rate, the
    multiplier of the cosines, the bias (if any) and the retrieval of held-out drawings'
    names. Raises FloatingPointError at the first loss that is not finite.
    """
    held_out = set(range(_HELD_OUT_EVERY // 2, len(drawings.drawings), _HELD_OUT_EVERY))
    training = drawings.part(
        [i for i in range(len(drawings.drawings)) if i not in held_out]
    )
    testing = drawings.part(sorted(held_out))
    optimiser = _optimiser(model, plan)
    losses: list[float] = []
    for step, batch in enumerate(batches(training, plan), start=1):
        lr = _learning_rate(step, plan)
        for group in optimiser.param_groups:
            group["lr"] = lr
        losses.append(_update(model, loss, optimiser, tokenizer, batch, plan))
        if step % plan.measure_every == 0 or step == plan.steps:
            yield {
                "step": step,
                "loss": float(np.mean(losses)),
                "lr": lr,
                "temperature": model.logit_scale.exp().item(),
                **_bias(model),
                **retrieval(model, tokenizer, testing, plan.seed),
            }
            losses.clear()


def batches(
    drawings: Material, plan: Plan
) -> Iterator[tuple[torch.Tensor, list[str]]]:
    """`plan.steps` batches of scenes (B, 3, RESOLUTION, RESOLUTION) and captions.

    A batch shows B different concepts, one drawing of each: no two of its captions name
    the same thing, so every pair off the diagonal is a true negative of both losses.
    """
    of_concept: dict[str, list[int]] = {}
    for index, drawing in enumerate(drawings.drawings):
        of_concept.setdefault(drawing.concept, []).append(index)
    concepts = list(of_concept.values())
    for step in range(plan.steps):
        rng = np.random.default_rng([plan.seed, step])
        chosen = rng.choice(len(concepts), plan.batch, replace=False)
        items = [int(rng.choice(concepts[concept])) for concept in chosen]
        captions = [_caption(drawings.drawings[item], rng) for item in items]
        variation = Variation().weaker(min(1.0, step / (plan.easy * plan.steps)))
        pictures = [drawings.pictures[item] for item in items]
        yield _scenes(pictures, rng, variation), captions


@torch.no_grad()
def retrieval(
    model: open_clip.CLIP,
    tokenizer: HFTokenizer,
    drawings: Material,
    seed: int,
) -> dict[str, float]:
    """Shares of drawings whose own name is the nearest, or among the nearest five.

    Each drawing is seen once, in a scene that depends on `seed` alone; the names to
    choose from are the concepts of all `drawings`.
    """
    model.eval()
    concepts = sorted({drawing.concept for drawing in drawings.drawings})
    own = torch.tensor([concepts.index(d.concept) for d in drawings.drawings])
    scenes = _scenes(drawings.pictures, np.random.default_rng([seed, 2**32]))
    images = model.encode_image(scenes, normalize=True)
    texts = model.encode_text(tokenizer(concepts), normalize=True)
    nearest = (images @ texts.T).topk(min(5, len(concepts))).indices  # (n, 5)
    hit = nearest == own[:, None]
    model.train()
    return {
        "recall_at_1": hit[:, 0].float().mean().item(),
        "recall_at_5": hit.any(dim=1).float().mean().item(),
    }


def _caption(drawing: Drawing, rng: np.random.Generator) -> str:
    named = drawing.name if rng.random() < _TONE_NAMED else drawing.concept
    return TEMPLATES[rng.integers(len(TEMPLATES))].format(named)


def _scenes(
    pictures: Sequence[Image.Image],
    rng: np.random.Generator,
    variation: Variation = Variation(),
) -> torch.Tensor:
    """(n, 3, RESOLUTION, RESOLUTION) float32 in [-1, 1]."""
    scenes = [
        np.asarray(compose(picture, rng, RESOLUTION, variation)) for picture in pictures
    ]
    pixels = torch.from_numpy(np.stack(scenes)).permute(0, 3, 1, 2)
    return pixels.float() / 127.5 - 1


def _optimiser(model: open_clip.CLIP, plan: Plan) -> torch.optim.AdamW:
    """AdamW; weights decay, gains, biases, temperature and bias of the loss do not."""
    parameters = list(model.parameters())
    groups = [
        {
            "params": [p for p in parameters if p.ndim >= 2],
            "weight_decay": plan.weight_decay,
        },
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=plan.lr, betas=(0.9, 0.98))


def _learning_rate(step: int, plan: Plan) -> float:
    """Linear warm-up, then half a cosine down to zero at the last step."""
    if step <= plan.warmup:
        return plan.lr * step / plan.warmup
    done = (step - plan.warmup) / (plan.steps - plan.warmup)
    return plan.lr * 0.5 * (1 + math.cos(math.pi * done))


def _update(
    model: open_clip.CLIP,
    loss: ClipLoss | SigLipLoss,
    optimiser: torch.optim.AdamW,
    tokenizer: HFTokenizer,
    batch: tuple[torch.Tensor, list[str]],
    plan: Plan,
) -> float:
    """One step of the optimiser; returns the loss before it."""
    scenes, captions = batch
    value = loss(
        model.encode_image(scenes, normalize=True),
        model.encode_text(tokenizer(captions), normalize=True),
        model.logit_scale.exp(),
        model.logit_bias,
    )
    if not torch.isfinite(value):
        raise FloatingPointError(f"the loss is {value.item()}")
    optimiser.zero_grad()
    value.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), plan.clip_norm)
    optimiser.step()
    return value.item()


def _bias(model: open_clip.CLIP) -> dict[str, float | str]:
    return {"bias": "" if model.logit_bias is None else model.logit_bias.item()}


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
        "files": {
            file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files
        },
        "dimension": DIMENSION,
        "resolution": RESOLUTION,
        "has_text": True,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }


def _write_log(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {
                key: f"{value:.6g}" if isinstance(value, float) else value
                for key, value in row.items()
            }
            for row in rows
        )


def _write_json(path: Path, value: dict[str, Any]) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
