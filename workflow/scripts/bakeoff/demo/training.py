"""Training of a tiny encoder on captioned scenes of drawings that show no activity.

A step's scenes and captions depend on the plan's seed and the step alone, so encoders
trained by one plan see the same of everything, in the same order.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import open_clip
import torch
from open_clip.loss import ClipLoss, SigLipLoss
from open_clip.tokenizer import HFTokenizer
from PIL import Image

from bakeoff.demo.drawings import Drawing, material, render
from bakeoff.demo.scenes import FULL, Variation, compose

RESOLUTION = 64  # pixels: the side of the pictures that the encoders see
TEMPLATES = ("{}", "{}", "a {}", "a drawing of {}", "a picture of a {}", "this is {}")
_TONE_NAMED = 0.3  # share of captions that keep the skin tone of a name
_SCALAR_PACE = 5.0  # learning rate of temperature and bias, in units of the towers'
_HELD_OUT_EVERY = 20  # one drawing in so many is never trained on
_RENDERED = 72  # pixels: the side of OpenMoji's own grid


@dataclass(frozen=True)
class Plan:
    """How to train. `batch` counts pairs; `warmup` and `measure_every` count steps.

    Over the share `easy` of the steps the scenes grow from plain ones to those that the
    activities are shown in: from scratch, on those alone, nothing is learned for long.
    """

    steps: int = 1600
    batch: int = 128
    lr: float = 2e-3
    warmup: int = 100
    weight_decay: float = 0.05
    clip_norm: float = 1.0
    easy: float = 0.3
    measure_every: int = 50
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


def load_material() -> Material:
    """Every drawing that shows no activity, rendered."""
    drawings = material()
    return Material(drawings, [render(drawing, _RENDERED) for drawing in drawings])


def train(
    model: open_clip.CLIP,
    loss: ClipLoss | SigLipLoss,
    tokenizer: HFTokenizer,
    drawings: Material,
    plan: Plan,
) -> Iterator[dict[str, Any]]:
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
            group["lr"] = lr * group["pace"]
        losses.append(_update(model, loss, optimiser, tokenizer, batch, plan))
        if step % plan.measure_every == 0 or step == plan.steps:
            yield {
                "step": step,
                "loss": float(np.mean(losses)),
                "lr": lr,
                "temperature": model.logit_scale.exp().item(),
                "bias": "" if model.logit_bias is None else model.logit_bias.item(),
                **retrieval(model, tokenizer, testing, plan.seed),
            }
            losses.clear()


def batches(drawings: Material, plan: Plan) -> Iterator[tuple[torch.Tensor, list[str]]]:
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
        variation = FULL.weaker(min(1.0, step / (plan.easy * plan.steps)))
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
    variation: Variation = FULL,
) -> torch.Tensor:
    """(n, 3, RESOLUTION, RESOLUTION) float32 in [-1, 1]."""
    scenes = [
        np.asarray(compose(picture, rng, RESOLUTION, variation)) for picture in pictures
    ]
    pixels = torch.from_numpy(np.stack(scenes)).permute(0, 3, 1, 2)
    return pixels.float() / 127.5 - 1


def _optimiser(model: open_clip.CLIP, plan: Plan) -> torch.optim.AdamW:
    """AdamW in three groups; `pace` multiplies the learning rate of the last.

    Weights decay, gains and biases do not. The loss's own temperature and bias neither
    decay nor wait: Adam moves a scalar by at most about the learning rate per step.
    """
    scalars = {"logit_scale", "logit_bias"}
    towers = [p for name, p in model.named_parameters() if name not in scalars]
    own = [p for name, p in model.named_parameters() if name in scalars]
    groups = [
        {"params": [p for p in towers if p.ndim >= 2], "pace": 1.0},
        {"params": [p for p in towers if p.ndim < 2], "pace": 1.0, "weight_decay": 0.0},
        {"params": own, "pace": _SCALAR_PACE, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, lr=plan.lr, betas=(0.9, 0.98), weight_decay=plan.weight_decay
    )


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
