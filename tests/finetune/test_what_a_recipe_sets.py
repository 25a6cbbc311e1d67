"""Keys of a recipe reach what they speak of, and trainings that differ are told apart."""

from pathlib import Path

import pytest
import torch
from bakeoff.errors import BakeoffError
from bakeoff.finetune.dataset import dataset
from bakeoff.finetune.ranks import Ranks
from bakeoff.finetune.recipe import Recipe
from bakeoff.finetune.training import Training
from study import BANK, weights


@pytest.fixture
def begun(study, tmp_path: Path):
    """A training that has not made a step yet."""

    def begin(**recipe) -> Training:
        data = dataset(study.manifest, study.folder / "images", study.ids, BANK)
        settings = Recipe.of({"batch": 10, "micro_batch": 4} | recipe)
        file = tmp_path / "checkpoint.pt"
        return Training(data, study.clip, settings, file, 0, "cpu", 1, Ranks())

    return begin


def test_the_memory_is_that_of_the_recipe(begun) -> None:
    settings = {"queue": 20, "queue_weight": 0.5, "queue_start": 3, "queue_ramp": 4}
    memory = begun(**settings).memory
    assert memory.capacity == 20
    found = [memory.weight_at(step) for step in (3, 5, 7, 99)]
    assert found == pytest.approx([0, 0.25, 0.5, 0.5])


def test_a_lighter_memory_is_another_loss(study, tmp_path) -> None:
    full, half = (
        study.train(tmp_path / str(w), epochs=1, queue=20, queue_weight=w)["loss"]
        for w in (1.0, 0.5)
    )
    assert full[0] == half[0] and full[1] != half[1]


def test_each_epoch_has_an_order_of_its_own(begun) -> None:
    sampler = begun(batch=39).batches.sampler
    first, second = (sampler.images(step)[0] for step in (1, 2))
    assert sorted(first) == sorted(second) and (first != second).any()


def test_held_out_images_are_never_trained_on(begun, study) -> None:
    training = begun(validation=0.3)
    trained = {identity for _, identity in training.pictures.files}
    judged = {identity for _, identity in training.selection.judge.pictures.files}
    assert trained | judged == set(study.ids) and not trained & judged


def test_a_checkpoint_of_another_seed_is_refused(study, tmp_path) -> None:
    study.train(tmp_path, epochs=0.3, seed=0)
    with pytest.raises(BakeoffError, match="other data, recipe, encoder or seed"):
        study.train(tmp_path, epochs=0.3, seed=1)


def test_averaged_weights_are_what_is_saved(study, tmp_path) -> None:
    """With nothing chosen on; the average is not where the training ended."""
    study.train(tmp_path, epochs=1, ema=0.9)
    note = torch.load(tmp_path / "state/checkpoint.pt", weights_only=True)["state"]
    saved = weights(tmp_path)
    name = "visual.proj"
    assert torch.equal(saved[name], note["weights"]["average"][name])
    assert not torch.equal(saved[name], note["weights"]["now"][name])
