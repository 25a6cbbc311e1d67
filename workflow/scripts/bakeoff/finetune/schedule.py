"""What changes from step to step by plan: learning rate, temperature, their limits."""

import math

import torch
from torch import Tensor


def cosine_with_warmup(step: int, steps: int, warmup: float) -> float:
    """Factor of the learning rate in step 1..steps.

    Linear from 1/w to 1 over the first w = warmup * steps steps, then half a cosine
    that would reach 0 in the step after the last.
    """
    rising = max(1, round(warmup * steps)) if warmup > 0 else 0
    if step <= rising:
        return step / rising
    done = (step - 1 - rising) / max(1, steps - rising)
    return 0.5 * (1 + math.cos(math.pi * done))


def scale_at(step: int, steps: int, start: float, end: float) -> float:
    """The planned scale: from `start` in step 1 to `end` in the last, geometrically."""
    share = (step - 1) / max(1, steps - 1)
    return start * (end / start) ** share


def clamp_scale(log_scale: Tensor, initial: float, highest: float) -> None:
    """Keep exp(log_scale) within 1 and the larger of `highest` and the initial scale.

    CLIP's limit is 100, but pretrained SigLIP scales lie above it: they would be cut in
    the first step.
    """
    with torch.no_grad():
        log_scale.clamp_(0, math.log(max(highest, initial)))


def prior_bias(positive_fraction: float) -> float:
    """The logit that predicts the share of positive pairs, log(P / (1 - P)).

    With any other bias the first steps of the sigmoid loss only repair it. P = 1 / B of
    plain pairs gives about -log B: the -10 of SigLIP fits batches near 22,000.
    """
    return math.log(positive_fraction / (1 - positive_fraction))


def ema_decay(step: int, decay: float) -> float:
    """Decay of the averaged weights in step 1, 2, ...: rises to `decay`.

    Without the rise, a short training would mostly average its starting point.
    """
    return min(decay, (1 + step) / (10 + step))
