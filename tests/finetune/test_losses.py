"""The losses against open_clip's and UniCL's matrices, by value and every gradient."""

import math

import pytest
import torch
from bakeoff.finetune.infonce import InfoNCE
from bakeoff.finetune.losses import Loss, full_batch
from bakeoff.finetune.rows import Rows, image_rows, text_rows
from bakeoff.finetune.sigmoid import Sigmoid
from open_clip.loss import ClipLoss, SigLipLoss
from torch import Tensor
from torch.nn.functional import log_softmax, logsigmoid, normalize

DIMENSION, PROMPTS, CLASSES = 16, 300, 15
PROMPT_CLASSES = torch.arange(PROMPTS) % CLASSES


def unit(n: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.randn(n, DIMENSION, dtype=torch.float64, generator=generator)
    return normalize(vectors, dim=1)


def draw(batch: int, seed: int = 0) -> Tensor:
    """The prompt of every image of a batch."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(PROMPTS, (batch,), generator=generator)


def leaves(batch: int) -> list[Tensor]:
    """Images, the whole bank's texts, scale and bias."""
    scale, bias = torch.tensor(14.0).double(), torch.tensor(-5.0).double()
    values = [unit(batch, 1), unit(PROMPTS, 2), scale, bias]
    return [value.requires_grad_() for value in values]


def ours(loss: Loss, prompts: Tensor, chunk: int | None = None) -> list[Tensor]:
    """Loss and its gradients by images, bank, scale and bias."""
    x, bank, scale, bias = inputs = leaves(len(prompts))
    images = image_rows(PROMPT_CLASSES[prompts], prompts)
    texts = text_rows(prompts, PROMPT_CLASSES)
    bound = loss.bind(images, texts)
    t = bank[texts.prompts]
    value = full_batch(bound, x, images, t, scale, bias, chunk=chunk)
    return [value, *torch.autograd.grad(value, inputs)]


def theirs(loss, prompts: Tensor) -> list[Tensor]:
    """The same of a loss over B images and B texts, one row per pair."""
    x, bank, scale, bias = inputs = leaves(len(prompts))
    value = loss(x, bank[prompts], scale, bias)
    return [value, *torch.autograd.grad(value, inputs)]


def assert_same(a: list[Tensor], b: list[Tensor], tolerance: float = 1e-10) -> None:
    for one, other in zip(a, b, strict=True):
        assert torch.allclose(one, other, rtol=tolerance, atol=tolerance)


def unicl(x: Tensor, t: Tensor, scale: Tensor, bias: Tensor, classes: Tensor) -> Tensor:
    """UniCL's two-directional cross-entropy with soft targets, written out."""
    z = scale * x @ t.T + 0 * bias
    targets = (classes[:, None] == classes).double()
    targets = targets / targets.sum(1, keepdim=True)
    rows = -(targets * log_softmax(z, 1)).sum(1).mean()
    columns = -(targets * log_softmax(z.T, 1)).sum(1).mean()
    return (rows + columns) / 2


def labelled_sigmoid(
    x: Tensor, t: Tensor, scale: Tensor, bias: Tensor, same: Tensor, weight: Tensor
) -> Tensor:
    """Sum over pairs of the sigmoid loss, positives weighted by the image's class."""
    z = scale * x @ t.T + bias
    positive = -logsigmoid(z) * same * weight[:, None]
    return (positive - logsigmoid(-z) * (1 - same)).sum()


def test_two_pairs_by_hand() -> None:
    x = torch.eye(2, dtype=torch.float64)
    prompts = torch.tensor([0, 1])
    images, texts = image_rows(prompts, prompts), text_rows(prompts, prompts)
    scale, bias = torch.tensor(2.0).double(), torch.tensor(-1.0).double()
    clip = full_batch(InfoNCE().bind(images, texts), x, images, x, scale)
    assert clip.item() == pytest.approx(math.log(1 + math.exp(-2)))
    siglip = full_batch(Sigmoid().bind(images, texts), x, images, x, scale, bias)
    # Per image: one positive pair at logit 1, one negative pair at logit -1.
    assert siglip.item() == pytest.approx(2 * math.log(1 + math.exp(-1)))


def test_infonce_equals_open_clip_at_4096() -> None:
    prompts = draw(4096)
    assert_same(ours(InfoNCE("pair"), prompts), theirs(ClipLoss(), prompts))


def test_sigmoid_equals_open_clip_at_4096() -> None:
    prompts = draw(4096)
    assert_same(ours(Sigmoid("pair"), prompts), theirs(SigLipLoss(), prompts))


def test_class_targets_equal_unicl() -> None:
    prompts = draw(700)
    classes = PROMPT_CLASSES[prompts]
    expected = theirs(lambda *a: unicl(*a, classes), prompts)
    assert_same(ours(InfoNCE("class"), prompts), expected)


@pytest.mark.parametrize("norm", ["per_image", "per_pair", "per_square"])
@pytest.mark.parametrize("weight", [1.0, 3.0, "balanced"])
@pytest.mark.parametrize("positives", ["class", "pair"])
def test_sigmoid_with_weights_equals_its_definition(positives, weight, norm) -> None:
    prompts = draw(400)
    classes = PROMPT_CLASSES[prompts]
    same = (classes[:, None] == classes) if positives == "class" else torch.eye(400)
    same = same.double()
    if weight == "balanced":
        by_image = (400 - same.sum(1)) / same.sum(1)
    else:
        by_image = torch.full((400,), weight, dtype=torch.float64)
    mass = (same * by_image[:, None] + 1 - same).sum()
    divisor = {"per_image": 400, "per_square": 400**2, "per_pair": mass}[norm]
    expected = theirs(
        lambda *a: labelled_sigmoid(*a, same, by_image) / divisor, prompts
    )
    assert_same(ours(Sigmoid(positives, weight, norm), prompts), expected)


@pytest.mark.parametrize("loss", [InfoNCE("class"), InfoNCE("pair"), Sigmoid("class")])
def test_chunks_do_not_matter(loss: Loss) -> None:
    prompts = draw(101)
    whole = ours(loss, prompts, chunk=101)
    for chunk in (1, 7, 100):
        assert_same(ours(loss, prompts, chunk), whole, 1e-12)


def test_free_captions_are_the_same_loss() -> None:
    """Every image its own text: U = B, in chunks, against open_clip's matrix."""
    x, t = unit(257, 3).requires_grad_(), unit(257, 4).requires_grad_()
    scale, bias = torch.tensor(9.0).double(), torch.tensor(-3.0).double()
    own = torch.arange(257)
    images, texts = image_rows(own, own), text_rows(own, own)
    for loss, reference in ((InfoNCE(), ClipLoss()), (Sigmoid(), SigLipLoss())):
        value = full_batch(
            loss.bind(images, texts), x, images, t, scale, bias, chunk=32
        )
        expected = reference(x, t, scale, bias)
        assert_same(
            [value, *torch.autograd.grad(value, [x, t])],
            [expected, *torch.autograd.grad(expected, [x, t])],
        )


def test_a_weight_of_two_is_two_copies() -> None:
    """The memory's weights: a queued image of weight 2 equals two of weight 1."""
    prompts = draw(40)
    images, texts = (
        image_rows(PROMPT_CLASSES[prompts], prompts),
        text_rows(prompts, PROMPT_CLASSES),
    )
    queued = prompts[:6]
    zeros = torch.zeros(6, dtype=torch.float64)
    once = Rows(PROMPT_CLASSES[queued], queued, zeros, zeros + 2)
    twice = Rows(once.classes, queued, zeros, zeros + 1)
    x, q, t = unit(40, 5), unit(6, 6), unit(PROMPTS, 7)[texts.prompts]
    scale, bias = torch.tensor(9.0).double(), torch.tensor(-3.0).double()
    for loss in (InfoNCE("class"), InfoNCE("pair"), Sigmoid("class"), Sigmoid("pair")):
        one, two = images.joined(once), images.joined(twice).joined(twice)
        a = full_batch(loss.bind(one, texts), torch.cat([x, q]), one, t, scale, bias)
        b = full_batch(loss.bind(two, texts), torch.cat([x, q, q]), two, t, scale, bias)
        assert a.item() == pytest.approx(b.item(), rel=1e-12)


@pytest.mark.parametrize("positives", ["class", "pair"])
@pytest.mark.parametrize("kind", [InfoNCE, Sigmoid])
def test_floor_is_reached_and_never_passed(kind, positives) -> None:
    """Free logits, optimised: the loss comes down to the floor and stays above it."""
    prompts = torch.tensor([0, 0, 0, 1, 2, 2, 15, 15])
    classes = PROMPT_CLASSES[prompts]
    images, texts = image_rows(classes, prompts), text_rows(prompts, PROMPT_CLASSES)
    bound = kind(positives).bind(images, texts)
    # One-hot images make the "texts" a table of free logits.
    x, one = torch.eye(8, dtype=torch.float64), torch.ones((), dtype=torch.float64)
    t = torch.zeros(len(texts), 8, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([t], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = full_batch(bound, x, images, t, one, 0 * one)
        value.backward()
        return value

    optimiser.step(closure)
    value = closure().item()
    assert bound.floor <= value + 1e-12
    assert value == pytest.approx(bound.floor, abs=2e-3)


def test_positive_fraction_gives_the_best_constant_logit() -> None:
    prompts = draw(500)
    images, texts = (
        image_rows(PROMPT_CLASSES[prompts], prompts),
        text_rows(prompts, PROMPT_CLASSES),
    )
    bound = Sigmoid("class").bind(images, texts)
    x, t = unit(500, 1), unit(PROMPTS, 2)[texts.prompts]
    p = bound.positive_fraction
    bias = torch.tensor(math.log(p / (1 - p)), dtype=torch.float64, requires_grad=True)
    full_batch(bound, x, images, t, torch.zeros(()).double(), bias).backward()
    assert bias.grad is not None and abs(bias.grad.item()) < 1e-9


def test_logits_ignore_autocast() -> None:
    prompts = draw(64)
    images, texts = (
        image_rows(PROMPT_CLASSES[prompts], prompts),
        text_rows(prompts, PROMPT_CLASSES),
    )
    x, t = unit(64, 1).float(), unit(PROMPTS, 2)[texts.prompts].float()
    scale, bias = torch.tensor(100.0), torch.tensor(-10.0)
    bound = Sigmoid("class").bind(images, texts)
    plain = full_batch(bound, x, images, t, scale, bias)
    with torch.autocast("cpu", torch.bfloat16):
        under = full_batch(bound, x, images, t, scale, bias)
    assert under.dtype == torch.float32 and torch.equal(plain, under)


def test_memory_does_not_grow_with_the_square() -> None:
    """Largest tensor alive in backward: the images' gradient, not a matrix of pairs."""
    batch, rows = 4096, []

    class Watch(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            if isinstance(out, Tensor):
                rows.append(out.numel())
            return out

    own = torch.arange(batch)
    images, texts = image_rows(own, own), text_rows(own, own)
    x, t = unit(batch, 1).requires_grad_(), unit(batch, 2).requires_grad_()
    bound = Sigmoid().bind(images, texts)
    with Watch():
        one = torch.ones((), dtype=torch.float64)
        full_batch(bound, x, images, t, one, -one, chunk=64).backward()
    assert rows and max(rows) <= max(batch * DIMENSION, 64 * batch)
