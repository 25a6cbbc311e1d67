"""Micro-batches add up to the gradient of the whole batch, for every parameter."""

import pytest
import torch
from bakeoff.finetune.infonce import InfoNCE
from bakeoff.finetune.sigmoid import Sigmoid
from bakeoff.finetune.stepping import Stepping, accumulate
from open_clip.loss import ClipLoss, SigLipLoss
from torch import Tensor
from torch.nn.functional import normalize
from toy_towers import Toy, ToyData


def gradients(model: Toy) -> dict[str, Tensor]:
    return {name: p.grad.clone() for name, p in model.named_parameters()}


def reference(model: Toy, data: ToyData, loss) -> tuple[float, dict[str, Tensor]]:
    """open_clip's loss of all B images and B texts at once."""
    model.zero_grad()
    x = normalize(model.encode_image(data.pictures), dim=-1)
    t = normalize(model.encode_text(data.tokens[data.prompts]), dim=-1)
    value = loss(x, t, model.logit_scale.exp(), model.logit_bias)
    value.backward()
    return value.item(), gradients(model)


def run(model: Toy, data: ToyData, loss, **how) -> tuple[float, dict[str, Tensor]]:
    model.zero_grad()
    found = accumulate(model, data.step(loss), Stepping(**how), seed=3)
    for parameter in model.parameters():
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    return found.loss.item(), gradients(model)


def assert_same(one, other, tolerance: float = 1e-10) -> None:
    assert one[0] == pytest.approx(other[0], rel=tolerance)
    for name, gradient in other[1].items():
        assert torch.allclose(one[1][name], gradient, rtol=tolerance, atol=1e-12), name


@pytest.mark.parametrize("micro_batch", [1, 8, 36, 37, 64])
@pytest.mark.parametrize(
    ("loss", "theirs"), [(InfoNCE("pair"), ClipLoss()), (Sigmoid("pair"), SigLipLoss())]
)
def test_equals_open_clip_on_the_whole_batch(
    toy, toy_data, loss, theirs, micro_batch
) -> None:
    expected = reference(toy, toy_data, theirs)
    assert_same(run(toy, toy_data, loss, micro_batch=micro_batch), expected)


@pytest.mark.parametrize("loss", [InfoNCE(), Sigmoid()])
def test_text_chunks_do_not_matter(toy, toy_data, loss) -> None:
    whole = run(toy, toy_data, loss, micro_batch=10)
    assert_same(run(toy, toy_data, loss, micro_batch=10, text_chunk=5), whole)


@pytest.mark.parametrize("loss", [InfoNCE(), Sigmoid()])
def test_grad_factor_multiplies_every_gradient(toy, toy_data, loss) -> None:
    value, plain = run(toy, toy_data, loss, micro_batch=10)
    again, scaled = run(toy, toy_data, loss, micro_batch=10, grad_factor=64.0)
    assert value == again
    for name, gradient in plain.items():
        assert torch.allclose(scaled[name], 64 * gradient, rtol=1e-12, atol=0)


@pytest.mark.parametrize(("loss", "passes"), [(InfoNCE(), 2), (Sigmoid(), 1)])
def test_forwards_are_counted(toy, toy_data, loss, passes) -> None:
    """37 images: once for the sigmoid; InfoNCE saves only the last micro-batch's."""
    seen = []
    toy.visual.register_forward_hook(lambda m, inputs, out: seen.append(len(inputs[0])))
    run(toy, toy_data, loss, micro_batch=10)
    assert sum(seen) == 37 * passes - (7 if passes == 2 else 0)
    seen.clear()
    run(toy, toy_data, loss, micro_batch=37)
    assert sum(seen) == 37


def test_dropout_is_the_same_in_both_passes(toy_data) -> None:
    """With dropout, both passes repeat and leave the global state."""
    model = Toy(dropout=0.5)
    torch.manual_seed(11)
    before = torch.get_rng_state()
    one = run(model, toy_data, InfoNCE(), micro_batch=10)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(12)
    two = run(model, toy_data, InfoNCE(), micro_batch=10)
    assert_same(one, two, 0)
    # Both directions saw the same vectors: the loss is that of the vectors kept.
    model.zero_grad()
    how = Stepping(10, keep_images=True)
    found = accumulate(model, toy_data.step(InfoNCE()), how, seed=3)
    bound = toy_data.step(InfoNCE()).bound
    scale = model.logit_scale.exp()
    columns = bound.columns(found.images, toy_data.images, found.texts, scale)
    value = bound.terms(
        found.images, toy_data.images, found.texts, scale, None, columns
    ) + bound.constant(columns)
    assert value.item() == pytest.approx(found.loss.item(), rel=1e-12)


def test_frozen_towers_stay_without_a_gradient(toy, toy_data) -> None:
    toy.text.requires_grad_(False)
    toy.text_head.requires_grad_(False)
    accumulate(toy, toy_data.step(Sigmoid()), Stepping(10), seed=0)
    assert all(p.grad is None for p in toy.text.parameters())
    assert toy.logit_bias.grad is not None
