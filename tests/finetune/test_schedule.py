"""Learning rate, temperature and bias by hand."""

import math
from itertools import pairwise

import pytest
import torch
from bakeoff.finetune.schedule import (
    clamp_scale,
    cosine_with_warmup,
    ema_decay,
    prior_bias,
    scale_at,
)


def test_cosine_with_warmup() -> None:
    factors = [cosine_with_warmup(step, 20, 0.2) for step in range(1, 21)]
    assert factors[:5] == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])
    assert factors[12] == pytest.approx(0.5)  # half way down, at step 13
    assert all(a >= b for a, b in pairwise(factors[4:]))
    assert 0 < factors[-1] < 0.02
    assert cosine_with_warmup(1, 20, 0.0) == 1.0
    assert cosine_with_warmup(1, 1, 0.1) == 1.0


def test_scale_goes_by_equal_ratios() -> None:
    scales = [scale_at(step, 3, 10, 40) for step in (1, 2, 3)]
    assert scales == pytest.approx([10, 20, 40])


@pytest.mark.parametrize(
    ("initial", "now", "expected"),
    [(14, 50, 50), (14, 120, 100), (112.3, 120, 112.3), (14, 0.5, 1)],
)
def test_clamp_leaves_a_pretrained_scale_above_the_limit(
    initial, now, expected
) -> None:
    scale = torch.tensor(math.log(now), dtype=torch.float64, requires_grad=True)
    clamp_scale(scale, initial, 100.0)
    assert scale.exp().item() == pytest.approx(expected)


def test_prior_bias() -> None:
    assert prior_bias(1 / 15) == pytest.approx(-2.639, abs=1e-3)
    assert prior_bias(1 / 22_027) == pytest.approx(-10, abs=1e-3)


def test_average_forgets_its_start() -> None:
    assert ema_decay(1, 0.999) == pytest.approx(2 / 11)
    assert ema_decay(10**6, 0.999) == 0.999
