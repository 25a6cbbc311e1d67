"""Whole trainings of a tiny encoder: what they learn, save, repeat and survive."""

import dataclasses
import functools
import json
import math
import os
import signal

import numpy as np
import open_clip
import pytest
import torch
from bakeoff.encoders.folder import open_folder
from bakeoff.errors import BakeoffError
from bakeoff.finetune import training
from bakeoff.finetune.model import load, tower_of
from bakeoff.finetune.signals import EXIT_CODE, Interrupted
from bakeoff.images import read_image
from bakeoff.schemas import SCHEMAS
from study import BANK, COLOURS, weights
from torch.nn.functional import normalize


def same(one, other) -> bool:
    return set(one) == set(other) and all(torch.equal(one[k], other[k]) for k in one)


def accuracy(folder, study) -> float:
    """Zero-shot accuracy of a saved folder, read as any encoder is."""
    name = f"local-dir:{folder}"
    model, preprocess = open_clip.create_model_from_pretrained(name)
    texts = open_clip.get_tokenizer(name)([text for _, _, text in BANK])
    t = normalize(model.eval().encode_text(texts), dim=1).unflatten(0, (3, 3)).mean(1)
    paths = study.manifest.column("path").to_pylist()
    labels = [sorted(COLOURS).index(x) for x in study.manifest["label"].to_pylist()]
    files = [study.folder / "images" / path for path in paths]
    pixels = torch.stack([preprocess(read_image(file)) for file in files])
    right = (model.encode_image(pixels) @ t.T).argmax(1) == torch.tensor(labels)
    return float(right.float().mean())


@pytest.mark.parametrize("loss", ["infonce", "sigmoid"])
def test_learns_and_saves_an_encoder(tmp_path, study, loss) -> None:
    encoder = study.siglip if loss == "sigmoid" else study.clip
    table = study.train(tmp_path, encoder, loss=loss, epochs=8, queue=20)
    assert table.schema.names == SCHEMAS["training"].names
    assert table.column("step").to_pylist() == list(range(1, 33))
    loss_of = table.column("loss").to_pylist()
    assert loss_of[-1] < loss_of[0]
    assert accuracy(tmp_path / "encoder", study) > 0.9
    card = json.loads((tmp_path / "encoder" / "encoder.json").read_text())
    assert card["id"] == "encoder" and card["source"].endswith(encoder.name)
    assert set(card["files"]) >= {"open_clip_model.safetensors", "tokenizer.json"}
    open_folder(tmp_path / "encoder").verify()


def test_untrained_encoder_is_no_better_than_chance(study) -> None:
    assert accuracy(study.clip, study) < 0.7


def test_repeats_to_the_bit_and_depends_on_the_seed(tmp_path, study) -> None:
    runs = {
        name: study.train(tmp_path / name, seed=seed, epochs=1)
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    }
    a, b, c = (weights(tmp_path / name) for name in "abc")
    assert same(a, b) and not same(a, c)
    assert runs["a"]["loss"] == runs["b"]["loss"]


def test_queue_of_nothing_is_the_plain_loss(tmp_path, study) -> None:
    """A memory that never counts changes nothing, to the bit."""
    plain = study.train(tmp_path / "plain", epochs=2)
    idle = study.train(tmp_path / "idle", epochs=2, queue=20, queue_start=10**6)
    assert plain["loss"] == idle["loss"]
    assert same(weights(tmp_path / "plain"), weights(tmp_path / "idle"))
    busy = study.train(tmp_path / "busy", epochs=2, queue=20)
    assert plain["loss"][0] == busy["loss"][0] and plain["loss"] != busy["loss"]


STATEFUL = {
    "queue": 20,
    "queue_texts": "stored",
    "drift_every": 2,
    "ema": 0.9,
    "validation": 0.25,
    "augmentation": {"crop": 0.5, "flip": 0.5, "rotate": 10, "jitter": 0.2},
    "hard_negatives": 2,
    "epochs": 3,
}


@pytest.mark.parametrize("recipe", [{"epochs": 3}, STATEFUL])
def test_killed_anywhere_ends_with_the_same_weights(
    tmp_path, study, recipe, monkeypatch
) -> None:
    """Signals arrive inside steps 2, 5 and 8, each time in another micro-batch."""
    study.train(tmp_path / "whole", **recipe)
    plan = {2: 0, 5: 1, 8: 2}
    original = training.Training._data

    def data(self, labels):
        step, pixels = self.done + 1, original(self, labels)
        calls = iter(range(100))

        def killing(part):
            if next(calls) == plan.get(step, -1):
                del plan[step]
                os.kill(os.getpid(), signal.SIGUSR1)
            return pixels.pixels(part)

        return dataclasses.replace(pixels, pixels=killing)

    monkeypatch.setattr(training.Training, "_data", data)
    for _ in range(3):
        with pytest.raises(Interrupted) as leaving:
            study.train(tmp_path / "cut", **recipe)
        assert leaving.value.code == EXIT_CODE
        assert not (tmp_path / "cut" / "encoder").exists()
    table = study.train(tmp_path / "cut", **recipe)
    assert not plan
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "cut"))
    assert table["step"].to_pylist() == list(range(1, len(table) + 1))


class Killed(BaseException):
    """As good as SIGKILL: nothing of ours runs between here and the next start."""


def test_killed_without_warning_at_20_moments(tmp_path, study, monkeypatch) -> None:
    """The last checkpoint may be steps behind; the end is the same to the bit."""
    recipe = STATEFUL | {"epochs": 12, "checkpoint_every": 3}
    study.train(tmp_path / "whole", **recipe)
    survived = np.random.default_rng(0).integers(0, 5, 20).tolist()
    original = training.Training.step

    def step(self, number, how):
        if survived and survived[0] == 0:
            survived.pop(0)
            raise Killed
        if survived:
            survived[0] -= 1
        return original(self, number, how)

    monkeypatch.setattr(training.Training, "step", step)
    for _ in range(20):
        with pytest.raises(Killed):
            study.train(tmp_path / "cut", **recipe)
    study.train(tmp_path / "cut", **recipe)
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "cut"))


def test_a_checkpoint_of_another_training_is_refused(tmp_path, study) -> None:
    study.train(tmp_path, epochs=0.3)
    with pytest.raises(BakeoffError, match="other data, recipe, encoder or seed"):
        study.train(tmp_path, epochs=0.3, lr=2e-3)


def test_divergence_stops_with_step_and_cause(tmp_path, study, monkeypatch) -> None:
    original = training.accumulate

    def diverging(model, step, how, seed):
        found = original(model, step, how, seed)
        bad = found.loss * (math.nan if seed == 3 else 1)
        return dataclasses.replace(found, loss=bad)

    monkeypatch.setattr(training, "accumulate", diverging)
    with pytest.raises(BakeoffError, match=r"step 3: got a loss of nan.*lower lr"):
        study.train(tmp_path)


def changed(study, folder) -> set[str]:
    """Towers whose weights differ from the encoder's."""
    before = weights_of(study.clip)
    after = weights(folder)
    names = [n for n in before if not torch.equal(before[n], after[n])]
    return {tower_of(name) for name in names}


def weights_of(folder):
    return load(folder, "cpu").model.state_dict()


@pytest.mark.parametrize(
    ("recipe", "towers"),
    [
        ({"towers": "text"}, {"text", "scalar"}),
        ({"towers": "image"}, {"image", "scalar"}),
        ({"lora_rank": 2}, {"image", "text", "scalar"}),
        ({"layer_decay": 0.5, "precision": "bf16"}, {"image", "text", "scalar"}),
        ({"precision": "fp16"}, {"image", "text", "scalar"}),
        ({"wise": 0.0}, set()),
    ],
)
def test_only_what_the_recipe_trains_changes(tmp_path, study, recipe, towers) -> None:
    study.train(tmp_path, epochs=0.6, **recipe)
    assert changed(study, tmp_path) == towers


def test_batch_larger_than_the_data_is_explained(tmp_path, study, caplog) -> None:
    table = study.train(tmp_path, batch=100, epochs=3)
    assert len(table) == 2 and "larger than the 39 training images" in caplog.text


def test_early_stopping_and_wise_choose_on_held_out_images(tmp_path, study) -> None:
    recipe = {"validation": 0.3, "patience": 2, "epochs": 60, "wise": "auto"}
    table = study.train(tmp_path, **recipe)
    assert len(table) < 60 * 3
    card = json.loads((tmp_path / "encoder" / "encoder.json").read_text())
    note = card["finetuned"]
    assert note["best_step"] <= len(table) and 0 <= note["wise"] <= 1


def test_a_clip_encoder_gains_a_bias_from_the_prior(tmp_path, study) -> None:
    table = study.train(tmp_path, loss="sigmoid", lr_scale=0.0, epochs=0.3)
    # About a third of all pairs are positive: log(1/2) = -0.69, give or take the draw.
    assert table["bias"][0].as_py() == pytest.approx(math.log(0.5), abs=0.3)
    model = open_clip.create_model(f"local-dir:{tmp_path / 'encoder'}")
    assert model.logit_bias.item() == pytest.approx(table["bias"][0].as_py())


def test_scheduled_scale_is_followed(tmp_path, study) -> None:
    table = study.train(tmp_path, scale=10.0, scale_end=40.0, epochs=0.6)
    assert table["temperature"].to_pylist() == pytest.approx([10.0, 20.0, 40.0])


def test_missing_prompts_and_images_are_all_named(tmp_path, study, monkeypatch) -> None:
    monkeypatch.setattr(study, "ids", [*study.ids, "nowhere"])
    monkeypatch.setattr("study.BANK", [row for row in BANK if row[0] != "red"])
    with pytest.raises(BakeoffError, match=r"1 training images .*no prompt for red"):
        study.train(tmp_path)


def test_augmentation_of_an_unknown_class_is_refused(tmp_path, study) -> None:
    with pytest.raises(BakeoffError, match="no training image of pink"):
        study.train(tmp_path, class_augmentation={"pink": {"flip": 0.5}})


def test_an_overflow_changes_nothing_and_is_not_remembered(
    tmp_path, study, monkeypatch
) -> None:
    """With a factor far too large, fp16 gradients overflow: both steps are skipped."""
    scaler = functools.partial(torch.amp.GradScaler, init_scale=2.0**127)
    monkeypatch.setattr(torch.amp, "GradScaler", scaler)
    study.train(tmp_path, precision="fp16", queue=20, epochs=0.4)
    assert changed(study, tmp_path) == set()
    note = torch.load(tmp_path / "state" / "checkpoint.pt", weights_only=True)
    assert note["state"]["done"] == 2 and note["state"]["memory"]["filled"] == 0
