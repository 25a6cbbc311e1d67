"""Order, prompts and augmentation as functions of (seed, epoch, index)."""

import numpy as np
import pytest
from bakeoff.finetune.augment import Augmentation
from bakeoff.finetune.sampler import FLIP, PROMPT, PromptBank, Sampler, uniform
from bakeoff.finetune.views import view
from PIL import Image
from scipy import stats


@pytest.mark.parametrize(("n", "batch"), [(10, 4), (10, 10), (7, 20), (5, 1)])
def test_every_epoch_shows_every_image_once(n, batch) -> None:
    sampler = Sampler(n, batch, seed=1)
    steps = [sampler.images(step) for step in range(1, 3 * n + 1)]
    order = np.concatenate([images for images, _ in steps])
    epochs = np.concatenate([epochs for _, epochs in steps])
    for epoch in range(3):
        seen = order[epochs == epoch]
        assert sorted(seen) == list(range(n))
    assert all(len(images) == batch for images, _ in steps)
    assert len({tuple(order[epochs == epoch]) for epoch in range(3)}) > 1


def test_a_step_needs_no_former_step() -> None:
    late = Sampler(50, 7, seed=3).images(40)
    again = Sampler(50, 7, seed=3).images(40)
    other = Sampler(50, 7, seed=4).images(40)
    assert np.array_equal(late[0], again[0]) and not np.array_equal(late[0], other[0])


def test_steps_cover_the_epochs() -> None:
    assert Sampler(10, 4, 0).steps(2) == 5
    assert Sampler(10, 4, 0).steps(0.1) == 1
    assert Sampler(12_600, 32_768, 0).steps(10) == 4


def test_uniform_is_uniform_and_independent() -> None:
    index = np.arange(20_000)
    one = uniform(0, 0, index, PROMPT)
    assert one.min() >= 0 and one.max() < 1
    assert stats.kstest(one, "uniform").pvalue > 1e-3
    others = (
        uniform(1, 0, index, PROMPT),
        uniform(0, 1, index, PROMPT),
        uniform(0, 0, index, FLIP),
        uniform(0, 0, index + 1, PROMPT),
    )
    for other in others:
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.03
    assert uniform(0, 0, 17, PROMPT) == one[17]


def test_prompts_belong_to_their_class_and_are_drawn_evenly() -> None:
    bank = PromptBank(list("abcdefg"), np.array([0, 1, 0, 1, 2, 1, 1]))
    labels = np.tile([0, 1, 2], 4000)
    index = np.arange(len(labels))
    drawn = bank.draw(labels, 0, np.zeros_like(index), index)
    assert np.array_equal(bank.classes[drawn], labels)
    counts = np.bincount(drawn[labels == 1], minlength=7)[[1, 3, 5, 6]]
    assert stats.chisquare(counts).pvalue > 1e-3


def picture() -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (30, 40, 3))
    return Image.fromarray(values.astype(np.uint8))


def test_no_augmentation_is_the_picture_itself() -> None:
    image = picture()
    assert view(image, Augmentation(), 0, 0, 0).tobytes() == image.tobytes()


def test_augmentation_repeats_and_varies() -> None:
    change = Augmentation(crop=0.5, flip=0.5, rotate=20, jitter=0.3)
    seen = [view(picture(), change, 0, epoch, 3).tobytes() for epoch in range(6)]
    again = [view(picture(), change, 0, epoch, 3).tobytes() for epoch in range(6)]
    assert seen == again and len(set(seen)) == 6


def test_flip_and_crop_by_construction() -> None:
    flipped = view(picture(), Augmentation(flip=1.0), 0, 0, 0)
    assert np.array_equal(np.asarray(flipped), np.asarray(picture())[:, ::-1])
    for index in range(50):
        width, height = view(picture(), Augmentation(crop=0.5), 0, 0, index).size
        assert 0.48 <= width * height / 1200 <= 1
