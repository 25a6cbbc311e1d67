"""The encoder that is fine-tuned: loaded, its towers locked or adapted, and grouped."""

import contextlib
import math
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_clip
import torch
from PIL import Image
from torch import Tensor, nn

from bakeoff.encoders.folder import open_folder
from bakeoff.encoders.openclip import tokenizer_of
from bakeoff.errors import BakeoffError
from bakeoff.finetune.recipe import Recipe
from bakeoff.finetune.schedule import prior_bias

_BLOCK = re.compile(r"(.*?(?:resblocks|blocks|layers)\.\d+)\.")
_STAGE = re.compile(r"(.*?stages\.\d+\.)")
_INPUT = re.compile(
    r"(?:conv1|patch_embed|class_embedding|cls_token|pos_embed|positional_embedding"
    r"|token_embedding|ln_pre|norm_pre|embeddings|\bstem\b)"
)


@dataclass(frozen=True)
class Encoder:
    """A model with its own preprocessing and tokenizer."""

    model: Any
    preprocess: Callable[[Image.Image], Tensor]
    tokenize: Callable[[list[str]], Tensor]


def load(folder: Path, device: str) -> Encoder:
    """The open_clip encoder in a folder of weights.

    Raises BakeoffError for an encoder that another library loads, or without texts, and
    for files that are changed, not listed, or could run code.
    """
    weights = open_folder(folder)
    if weights.loader != "openclip":
        raise BakeoffError(
            str(folder),
            f"an encoder for the loader {weights.loader!r}",
            "one with both towers in open_clip's form",
            "Fine-tune the open_clip entry of the same model.",
        )
    weights.verify()
    name = f"local-dir:{folder}"
    model, preprocess = open_clip.create_model_from_pretrained(
        name, device=device, pretrained_text=False
    )
    return Encoder(model.float().eval(), preprocess, tokenizer_of(folder))


def autocast(precision: str, device: str) -> Callable[[], AbstractContextManager]:
    """What makes the context in which the towers run in this precision."""
    if precision == "fp32":
        return contextlib.nullcontext
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    return lambda: torch.autocast(torch.device(device).type, dtype)


def tower_of(name: str) -> str:
    """image, text, or scalar: where a parameter of an open_clip model belongs."""
    if name.startswith("visual."):
        return "image"
    return "scalar" if name.startswith(("logit_scale", "logit_bias")) else "text"


def prepare(model: Any, recipe: Recipe, positive_fraction: float | None) -> None:
    """Set scale and bias, and lock what the recipe does not train.

    `positive_fraction` is that of the first step's sigmoid loss; None for InfoNCE.
    """
    if recipe.scale != "pretrained":
        with torch.no_grad():
            model.logit_scale.fill_(math.log(recipe.scale))
    _set_bias(model, recipe, positive_fraction)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(_is_trained(tower_of(name), recipe))
    if positive_fraction is None and model.logit_bias is not None:
        model.logit_bias.requires_grad_(False)  # cancels in InfoNCE
    if recipe.scale_end is not None:
        model.logit_scale.requires_grad_(False)  # follows its schedule


def adapted(model: Any, recipe: Recipe, seed: int) -> Any:
    """The model with low-rank adapters (LoRA) as all that its towers train.

    They are put into `model` itself; `merge_and_unload()` of what is returned adds them
    to the weights and takes them out again.
    """
    from peft import LoraConfig, get_peft_model

    scalars = [p for n, p in model.named_parameters() if tower_of(n) == "scalar"]
    trained = [scalar.requires_grad for scalar in scalars]
    names = [
        name
        for name, module in model.named_modules()
        if isinstance(module, (nn.MultiheadAttention, nn.Linear))
        and _BLOCK.match(name)
        and not name.endswith("attn.out_proj")  # adapted with its MultiheadAttention
        and _is_trained(tower_of(name), recipe)
    ]
    config = LoraConfig(
        r=recipe.lora_rank, lora_alpha=recipe.lora_alpha, target_modules=names
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        wrapper = get_peft_model(model, config)
    for scalar, was in zip(scalars, trained, strict=True):
        scalar.requires_grad_(was)
    return wrapper


def train_mode(model: nn.Module, recipe: Recipe) -> None:
    """Training mode, except for locked towers and for batch normalisation.

    Running statistics of micro-batches are not those of the batch: they stay fixed.
    """
    model.train()
    for name, module in model.named_modules():
        locked = tower_of(f"{name}.") not in ("scalar", *_trained_towers(recipe))
        if name and (locked or isinstance(module, nn.modules.batchnorm._BatchNorm)):
            module.eval()


def parameter_groups(model: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Groups for AdamW: `lr` and `peak` (the same), weight decay, parameters.

    Scale and bias have their own rate: under Adam a scalar moves by about one rate per
    step, so that at 1e-5 they would stay where they are. Vectors and scalars are not
    decayed. With `layer_decay` d, a parameter k layers below the top learns
    at lr * d^k.
    """
    layers = {tower: _layers(model, tower) for tower in ("image", "text")}
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        tower = tower_of(name)
        decay = recipe.weight_decay if parameter.ndim >= 2 else 0.0
        if tower == "scalar":
            lr, decay = recipe.lr_scale, 0.0
        else:
            lr = recipe.lr * recipe.layer_decay ** _below_top(name, layers[tower])
        groups.setdefault((lr, decay), []).append(parameter)
    return [
        {"params": parameters, "lr": lr, "peak": lr, "weight_decay": decay}
        for (lr, decay), parameters in groups.items()
    ]


def _trained_towers(recipe: Recipe) -> tuple[str, ...]:
    return ("image", "text") if recipe.towers == "both" else (recipe.towers,)


def _is_trained(tower: str, recipe: Recipe) -> bool:
    return tower == "scalar" or tower in _trained_towers(recipe)


def _set_bias(model: Any, recipe: Recipe, positive_fraction: float | None) -> None:
    if positive_fraction is None:
        return
    if recipe.bias == "auto" and model.logit_bias is not None:
        return
    if isinstance(recipe.bias, str):
        value = prior_bias(positive_fraction)
    else:
        value = float(recipe.bias)
    model.logit_bias = nn.Parameter(torch.full_like(model.logit_scale, value))


def _layers(model: nn.Module, tower: str) -> dict[str, int]:
    """Number of every block of a tower, from 1 at its input, by the block's name."""
    names = [name for name, _ in model.named_parameters() if tower_of(name) == tower]
    blocks = dict.fromkeys(m.group(1) for name in names if (m := _BLOCK.match(name)))
    return {block: number for number, block in enumerate(blocks, start=1)}


def _below_top(name: str, layers: dict[str, int]) -> int:
    """Layers between a parameter's and the top: 0 for what follows the last block.

    What leads into a stage of blocks (a downsampling) counts with its first block.
    """
    top = len(layers) + 1
    if block := _BLOCK.match(name):
        return top - layers[block.group(1)]
    if stage := _STAGE.match(name):
        return top - min(n for b, n in layers.items() if b.startswith(stage.group(1)))
    return top if _INPUT.search(name) else 0
