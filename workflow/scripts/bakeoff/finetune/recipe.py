"""A fine-tuning recipe: every choice that changes the result, checked as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from bakeoff.errors import BakeoffError
from bakeoff.finetune.augment import Augmentation


@dataclass(frozen=True)
class Recipe:
    """How an encoder is fine-tuned. Fields are the keys of `config/recipes.yaml`."""

    # Loss
    loss: Literal["infonce", "sigmoid"] = "infonce"
    positives: Literal["class", "pair"] = "class"
    positive_weight: float | Literal["balanced"] = 1.0
    normalisation: Literal["per_image", "per_pair", "per_square"] = "per_image"
    hard_negatives: int = 0  # prompts of other classes added per class

    # Batch and memory
    batch: int = 256  # images per optimiser step
    micro_batch: int = 64  # images per forward pass
    text_chunk: int = 4096  # texts per forward pass
    queue: int = 0  # images of former steps
    queue_texts: Literal["encoded", "stored"] = "encoded"
    queue_precision: Literal["fp16", "fp32"] = "fp16"
    queue_start: int = 0  # steps before the memory counts
    queue_ramp: int = 0  # steps in which its weight grows
    queue_weight: float = 1.0
    drift_every: int = 0  # steps between measurements of drift

    # Length and optimiser
    epochs: float = 10.0
    lr: float = 1e-5
    lr_scale: float = 1e-3  # of the logarithm of the scale, and of the bias
    warmup: float = 0.1  # share of all steps
    weight_decay: float = 0.1
    beta2: float = 0.98
    clip: float | None = 1.0  # largest norm of all gradients
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    ema: float = 0.0  # decay of the averaged weights

    # What is trained
    towers: Literal["both", "image", "text"] = "both"
    layer_decay: float = 1.0
    lora_rank: int = 0
    lora_alpha: int = 16

    # Temperature and bias
    scale: float | Literal["pretrained"] = "pretrained"
    scale_end: float | None = None  # a schedule from `scale` to here, not learned
    scale_max: float = 100.0
    bias: float | Literal["auto", "prior"] = "auto"

    # Data
    augmentation: Augmentation = field(default_factory=Augmentation)
    class_augmentation: Mapping[str, Augmentation] = field(default_factory=dict)

    # Choices made on a part of the training images
    validation: float = 0.0  # share of the training images
    patience: int = 0  # epochs without a gain before stopping
    wise: float | Literal["auto"] = 1.0  # share of the new weights (WiSE-FT)

    # Interruptions
    checkpoint_every: int = 100  # steps

    @classmethod
    def of(cls, settings: Mapping[str, Any], where: str = "recipe") -> "Recipe":
        """The recipe that plain settings describe.

        Raises BakeoffError naming every unknown key and every value that is impossible
        or contradicts another.
        """
        known = {f.name for f in fields(cls)}
        values = dict(settings)
        problems = [f"unknown key {key!r}" for key in sorted(set(values) - known)]
        values = {key: value for key, value in values.items() if key in known}
        problems += _read_augmentations(values)
        recipe = cls(**values)
        if problems := problems + recipe.problems():
            raise BakeoffError(
                where,
                "; ".join(problems),
                "the keys of Recipe with values in their ranges",
                "Correct them all in the recipe.",
            )
        return recipe

    def problems(self) -> list[str]:
        """Everything that is wrong, in words; empty for a sound recipe."""
        return [
            *_not_among(self),
            *_not_in_range(self),
            *(text for wrong, text in self._contradictions() if wrong),
        ]

    def _contradictions(self) -> list[tuple[bool, str]]:
        chosen = self.patience > 0 or self.wise == "auto"
        return [
            (
                chosen and self.validation == 0,
                "patience and wise: auto need validation > 0, a share of the training "
                "images to choose on",
            ),
            (
                self.loss == "infonce" and self.positive_weight != 1.0,
                "positive_weight belongs to loss: sigmoid",
            ),
            (
                self.loss == "infonce" and self.normalisation != "per_image",
                "normalisation belongs to loss: sigmoid",
            ),
            (
                self.scale_end is not None and self.scale == "pretrained",
                "scale_end needs a number as scale to start from",
            ),
            (
                self.lora_rank > 0 and self.layer_decay != 1.0,
                "layer_decay has no meaning with lora_rank > 0",
            ),
        ]


_CHOICES: dict[str, tuple[str, ...]] = {
    "loss": ("infonce", "sigmoid"),
    "positives": ("class", "pair"),
    "normalisation": ("per_image", "per_pair", "per_square"),
    "queue_texts": ("encoded", "stored"),
    "queue_precision": ("fp16", "fp32"),
    "precision": ("fp32", "bf16", "fp16"),
    "towers": ("both", "image", "text"),
}

# Lowest and highest value, ends included; words that a key also takes.
_RANGES: dict[str, tuple[float, float, tuple[str | None, ...]]] = {
    "positive_weight": (1e-6, 1e9, ("balanced",)),
    "hard_negatives": (0, 1e6, ()),
    "batch": (2, 1e7, ()),
    "micro_batch": (1, 1e6, ()),
    "text_chunk": (1, 1e6, ()),
    "queue": (0, 1e7, ()),
    "queue_start": (0, 1e9, ()),
    "queue_ramp": (0, 1e9, ()),
    "queue_weight": (1e-9, 1e6, ()),
    "drift_every": (0, 1e9, ()),
    "epochs": (1e-6, 1e6, ()),
    "lr": (0, 10, ()),
    "lr_scale": (0, 10, ()),
    "warmup": (0, 1, ()),
    "weight_decay": (0, 10, ()),
    "beta2": (0, 1, ()),
    "clip": (1e-9, 1e9, (None,)),
    "ema": (0, 1, ()),
    "layer_decay": (1e-3, 1, ()),
    "lora_rank": (0, 1e4, ()),
    "lora_alpha": (1, 1e6, ()),
    "scale": (1e-6, 1e4, ("pretrained",)),
    "scale_end": (1e-6, 1e4, (None,)),
    "scale_max": (1e-6, 1e4, ()),
    "bias": (-1e4, 1e4, ("auto", "prior")),
    "validation": (0, 0.9, ()),
    "patience": (0, 1e6, ()),
    "wise": (0, 1, ("auto",)),
    "checkpoint_every": (1, 1e9, ()),
}
_WHOLE = frozenset(f.name for f in fields(Recipe) if f.type in (int, "int"))


def _not_among(recipe: Recipe) -> list[str]:
    return [
        f"{name}: {getattr(recipe, name)!r} is none of {', '.join(choices)}"
        for name, choices in _CHOICES.items()
        if getattr(recipe, name) not in choices
    ]


def _not_in_range(recipe: Recipe) -> list[str]:
    found = []
    for name, (low, high, words) in _RANGES.items():
        value = getattr(recipe, name)
        if value in words:
            continue
        kinds = int if name in _WHOLE else (int, float)
        number = isinstance(value, kinds) and not isinstance(value, bool)
        if not number or not low <= value <= high:
            kind = "a whole number" if name in _WHOLE else "a number"
            others = "".join(f", or {word}" for word in words)
            found.append(
                f"{name}: {value!r} is not {kind} of {low:g}..{high:g}{others}"
            )
    return found


def _read_augmentations(values: dict[str, Any]) -> list[str]:
    """Turn mappings into Augmentations, in place; what is wrong with them."""
    problems: list[str] = []
    if "augmentation" in values:
        values["augmentation"] = _read_one(
            "augmentation", values["augmentation"], problems
        )
    if "class_augmentation" in values:
        values["class_augmentation"] = {
            label: _read_one(f"class_augmentation.{label}", settings, problems)
            for label, settings in dict(values["class_augmentation"]).items()
        }
    return problems


def _read_one(name: str, settings: Any, problems: list[str]) -> Augmentation:
    if isinstance(settings, Augmentation):
        return settings
    limits = {"crop": (0.01, 1), "flip": (0, 1), "rotate": (0, 180), "jitter": (0, 1)}
    good = {}
    for key, value in dict(settings).items():
        if key not in limits:
            problems.append(f"{name}: unknown key {key!r}")
        elif not limits[key][0] <= value <= limits[key][1]:
            low, high = limits[key]
            problems.append(f"{name}.{key}: {value!r} is not within {low}..{high}")
        else:
            good[key] = value
    return Augmentation(**good)
