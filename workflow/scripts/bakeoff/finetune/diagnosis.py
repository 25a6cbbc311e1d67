"""Trainings that cannot work, explained."""

import logging
import math

from bakeoff.errors import BakeoffError
from bakeoff.finetune.recipe import Recipe

log = logging.getLogger(__name__)


def stop_unless_finite(
    what: str, value: float, step: int, recipe: Recipe, scale: float
) -> None:
    """Raise BakeoffError, with the step and the likely cause, unless finite."""
    if math.isfinite(value):
        return
    raise BakeoffError(
        f"fine-tuning, step {step}",
        f"a {what} of {value}",
        "a finite number",
        f"The likely cause: {_cause(recipe, scale, step)}",
    )


def _cause(recipe: Recipe, scale: float, step: int) -> str:
    if not math.isfinite(scale):
        return f"the temperature diverged; lower lr_scale ({recipe.lr_scale:g})."
    if recipe.precision == "fp16":
        return "activations above the range of fp16; use bf16 or fp32."
    if step == 1:
        return "the encoder gives vectors that are not finite; check its weights."
    if recipe.clip is None:
        return (
            f"no clipping at this learning rate; set clip or lower lr ({recipe.lr:g})."
        )
    return f"a learning rate too high for this encoder; lower lr ({recipe.lr:g})."


def explain_batch(recipe: Recipe, n: int, steps: int) -> None:
    """Log what a batch, or a memory, larger than the data set means."""
    if recipe.batch > n:
        log.warning(
            "batch %d is larger than the %d training images: each step sees every "
            "image about %.1f times, and %g epochs are only %d steps",
            recipe.batch,
            n,
            recipe.batch / n,
            recipe.epochs,
            steps,
        )
    if recipe.queue > n:
        log.warning(
            "queue %d is larger than the %d training images: its older entries are "
            "stale copies of the newer ones",
            recipe.queue,
            n,
        )


def check_classes(recipe: Recipe, classes: list[str]) -> None:
    """Raise BakeoffError for augmentations of classes that there are not."""
    if unknown := sorted(set(recipe.class_augmentation) - set(classes)):
        raise BakeoffError(
            "recipe, class_augmentation",
            f"no training image of {', '.join(unknown)}",
            f"classes among {', '.join(classes)}",
            "Correct the names.",
        )
