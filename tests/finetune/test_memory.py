"""The cross-batch memory: order, weights, duplicates, state, and its loss by hand."""

import pytest
import torch
from bakeoff.finetune.infonce import InfoNCE
from bakeoff.finetune.losses import full_batch
from bakeoff.finetune.memory import Memory
from bakeoff.finetune.rows import image_rows, text_rows
from bakeoff.finetune.sigmoid import Sigmoid
from torch.nn.functional import log_softmax, logsigmoid, normalize

DIMENSION = 8
NOBODY = torch.tensor([-5])


def fill(memory: Memory, start: int, count: int) -> None:
    """Entries whose sample, class and prompt are their number."""
    numbers = torch.arange(start, start + count)
    generator = torch.Generator().manual_seed(start)
    vectors = normalize(torch.randn(count, DIMENSION, generator=generator), dim=1)
    rows = image_rows(numbers, numbers)
    memory.enqueue(vectors, -vectors, rows, numbers, numbers)


@pytest.mark.parametrize("batches", [[3], [3, 3], [5], [4, 4, 4], [7], [2, 9, 3]])
def test_first_in_first_out(batches) -> None:
    memory, total = Memory(5, DIMENSION), 0
    for count in batches:
        fill(memory, total, count)
        total += count
    expected = list(range(total))[-5:]
    queued = memory.queued(1, NOBODY)
    assert queued is not None
    assert queued.rows.prompts.tolist() == expected
    assert memory.samples[memory.order()].tolist() == expected
    assert queued.rows.anchor.sum() == 0


def test_own_samples_are_left_out() -> None:
    memory = Memory(6, DIMENSION)
    fill(memory, 0, 6)
    queued = memory.queued(1, torch.tensor([2, 4, 99]))
    assert queued is not None and queued.rows.prompts.tolist() == [0, 1, 3, 5]
    assert memory.queued(1, torch.arange(6)) is None


def test_warm_up_and_ramp() -> None:
    memory = Memory(4, DIMENSION, start=10, ramp=4, weight=0.8)
    fill(memory, 0, 4)
    found = [memory.weight_at(step) for step in (1, 10, 11, 12, 14, 99)]
    assert found == pytest.approx([0, 0, 0.2, 0.4, 0.8, 0.8])
    assert memory.queued(10, NOBODY) is None
    queued = memory.queued(12, NOBODY)
    assert queued is not None and queued.rows.weight.tolist() == pytest.approx(
        [0.4] * 4
    )


def test_state_survives_a_checkpoint(tmp_path) -> None:
    memory = Memory(5, DIMENSION, keep_texts=True)
    fill(memory, 0, 7)
    torch.save(memory.state_dict(), tmp_path / "memory.pt")
    other = Memory(5, DIMENSION, keep_texts=True)
    other.load_state_dict(torch.load(tmp_path / "memory.pt", weights_only=True))
    for one in (memory, other):
        fill(one, 7, 2)
    assert all(
        torch.equal(a, b)
        for a, b in zip(memory.buffers(), other.buffers(), strict=True)
    )
    texts = other.queued_texts(1, NOBODY)
    assert texts is not None and texts.rows.prompts.tolist() == [-1] * 5
    images = other.queued(1, NOBODY)
    assert images is not None and torch.equal(texts.vectors, -images.vectors)


def test_vectors_that_are_not_finite_never_enter() -> None:
    memory = Memory(4, DIMENSION)
    bad = torch.full((2, DIMENSION), torch.nan)
    numbers = torch.arange(2)
    with pytest.raises(ValueError, match="finite"):
        memory.enqueue(bad, bad, image_rows(numbers, numbers), numbers, numbers)
    assert int(memory.filled) == 0


def test_drift_is_the_cosine_with_the_oldest() -> None:
    memory = Memory(4, DIMENSION, dtype=torch.float32)
    fill(memory, 0, 6)
    oldest = memory.images[memory.order()[:2]]
    assert memory.drift(3 * oldest) == pytest.approx(1)
    assert memory.drift(-oldest) == pytest.approx(-1)


def matrices(prompts, queued_prompts, x, q, t, scale, bias):
    """Logits of batch images x (batch, then queued) texts, and of texts x images."""
    texts, images = torch.cat([prompts, queued_prompts]), torch.cat([x, q])
    return scale * x @ t[texts].T + bias, scale * t[prompts] @ images.T + bias


def softmax_loss(prompts, queued_prompts, classes, one, other):
    """InfoNCE written out: each anchor against batch and memory, soft class targets."""
    everyone = classes[torch.cat([prompts, queued_prompts])]
    target = (classes[prompts][:, None] == everyone).double()
    target = target / target.sum(1, keepdim=True)
    return -sum((target * log_softmax(z, 1)).sum(1).mean() for z in (one, other)) / 2


def sigmoid_loss(prompts, queued_prompts, classes, one, other):
    """All pairs with an anchor in them, each once, over B."""
    everyone = classes[torch.cat([prompts, queued_prompts])]
    sign = 2 * (classes[prompts][:, None] == everyone).double() - 1
    n = len(prompts)
    terms = -logsigmoid(sign * one).sum() - logsigmoid((sign * other)[:, n:]).sum()
    return terms / n


@pytest.mark.parametrize(
    ("loss", "written_out"),
    [(InfoNCE("class"), softmax_loss), (Sigmoid("class"), sigmoid_loss)],
)
def test_loss_with_memory_equals_its_definition(loss, written_out) -> None:
    generator = torch.Generator().manual_seed(3)
    classes = torch.arange(6) % 3
    prompts = torch.randint(6, (20,), generator=generator)
    old = torch.randint(6, (13,), generator=generator)
    vectors = torch.randn(39, DIMENSION, generator=generator).double()
    x, q, t = normalize(vectors, dim=1).split([20, 13, 6])
    scale, bias = torch.tensor(5.0).double(), torch.tensor(-1.0).double()
    x, t = x.clone().requires_grad_(), t.clone().requires_grad_()

    memory = Memory(13, DIMENSION, dtype=torch.float64)
    rows, numbers = image_rows(classes[prompts], prompts), torch.arange(13)
    memory.enqueue(q, q, image_rows(classes[old], old), numbers, numbers)
    queued = memory.queued(1, NOBODY)
    assert queued is not None
    images = rows.joined(queued.rows)
    texts = text_rows(prompts, classes, old, queued.rows.weight)
    stacked = torch.cat([x, q.float().double()])
    value = full_batch(
        loss.bind(images, texts), stacked, images, t[texts.prompts], scale, bias
    )
    logits = matrices(prompts, old, x, q.float().double(), t, scale, bias)
    expected = written_out(prompts, old, classes, *logits)
    assert value.item() == pytest.approx(expected.item(), rel=1e-12)
    found = torch.autograd.grad(value, [x, t])
    for one, other in zip(found, torch.autograd.grad(expected, [x, t]), strict=True):
        assert torch.allclose(one, other, rtol=1e-10, atol=1e-12)
