"""Data set, held-out part, hard prompts, judge, reading ahead, layers, diagnosis."""

import numpy as np
import pytest
import torch
from bakeoff.errors import BakeoffError
from bakeoff.finetune import checkpoint, model
from bakeoff.finetune.augment import Augmentation
from bakeoff.finetune.dataset import Dataset, dataset, held_out
from bakeoff.finetune.diagnosis import stop_unless_finite
from bakeoff.finetune.evaluate import Judge, best_share, interpolated
from bakeoff.finetune.model import load, parameter_groups, tower_of
from bakeoff.finetune.negatives import hard_prompts
from bakeoff.finetune.pictures import Pictures
from bakeoff.finetune.recipe import Recipe
from bakeoff.finetune.sampler import PromptBank
from PIL import Image
from study import BANK
from torch import nn


def labelled(labels: list[int], groups: list[int]) -> Dataset:
    ids = [str(i) for i in range(len(labels))]
    classes = [str(c) for c in range(max(labels) + 1)]
    bank = PromptBank(classes, np.arange(len(classes)))
    return Dataset(ids, [], np.array(labels), np.array(groups), classes, bank)


def test_dataset_keeps_only_the_images_asked_for(study) -> None:
    names = study.manifest["path"].to_pylist()
    places = sorted(
        names.index(f"{name}.png") for name in ("red/3", "blue/0", "green/12")
    )
    wanted = [study.ids[place] for place in places]
    data = dataset(study.manifest, study.folder / "images", wanted[::-1], BANK)
    assert data.ids == wanted
    assert [data.classes[label] for label in data.labels] == ["blue", "green", "red"]
    assert all(file.exists() for file in data.files)
    assert len(set(data.groups)) == 3
    for text, label in zip(data.bank.texts, data.bank.classes, strict=True):
        assert data.classes[label] in text


def test_held_out_never_splits_a_group_nor_empties_a_class() -> None:
    rng = np.random.default_rng(0)
    for seed in range(20):
        groups = rng.integers(0, 30, 100)
        data = labelled([int(group % 3) for group in groups], groups.tolist())
        rows, out = held_out(Dataset(**vars(data) | {"files": [None] * 100}), 0.2, seed)
        assert sorted([*rows, *out]) == list(range(100))
        assert not set(groups[rows]) & set(groups[out])
        for part in (rows, out):
            assert set(data.labels[part]) == {0, 1, 2}


def test_a_single_group_per_class_cannot_be_held_out() -> None:
    data = labelled([0, 0, 1, 1], [5, 5, 7, 7])
    with pytest.raises(BakeoffError, match="Set validation to 0"):
        held_out(data, 0.5, 0)


def test_hard_prompts_by_hand() -> None:
    texts = torch.tensor([[1.0, 0], [1, 0.2], [0.9, 1], [-1, 0.1], [-1, 1]])
    classes = torch.tensor([0, 0, 1, 2, 2])
    # Class 0 points right: of the others, prompt 2 is nearest, then 4.
    assert hard_prompts(texts, classes, 2).tolist() == [[2, 4], [1, 0], [2, 1]]
    assert hard_prompts(texts, classes, 99).shape == (3, 3)


class Lookup(nn.Module):
    """Vectors of an image by its first pixel; texts are axes; a scalar to tilt both."""

    def __init__(self) -> None:
        super().__init__()
        self.tilt = nn.Parameter(torch.zeros(()))

    def encode_image(self, pixels):
        turned = torch.roll(torch.eye(3), 1, dims=0)
        axes = (1 - self.tilt) * torch.eye(3) + self.tilt * turned
        return axes[pixels[:, 0, 0, 0].long()]

    def encode_text(self, tokens):
        return torch.eye(3)[tokens[:, 0]]


def judge(labels: list[int]) -> Judge:
    data = labelled(labels, list(range(len(labels))))
    pictures = Pictures(
        [], [], Image.open, torch.as_tensor, seed=0, threads=1, device="cpu"
    )
    shown = torch.tensor([0, 1, 1, 2, 2]).float()  # what the images look like
    pictures.plain = lambda rows: shown[rows][:, None, None, None]  # type: ignore
    return Judge(data, pictures, torch.arange(3)[:, None], micro_batch=2)


def test_accuracy_is_the_mean_over_classes() -> None:
    # Class 0: both of its images right or wrong? Images 0 (right) and 1 (wrong).
    assert judge([0, 0, 1, 2, 2]).accuracy(Lookup()) == pytest.approx((0.5 + 1 + 1) / 3)
    assert judge([0, 1, 1, 2, 2]).accuracy(Lookup()) == 1


def test_best_share_is_the_least_of_the_best() -> None:
    old, new = {"tilt": torch.tensor(1.0)}, {"tilt": torch.tensor(0.0)}
    assert interpolated(old, new, 0.25)["tilt"] == 0.75
    # Right once the tilt is below one half.
    assert best_share(Lookup(), judge([0, 1, 1, 2, 2]), old, new) == 0.6


def numbered(folder, n: int) -> list:
    files = [folder / f"{i}.png" for i in range(n)]
    for i, file in enumerate(files):
        Image.new("RGB", (2, 2), (i, 0, 0)).save(file)
    return files


@pytest.mark.parametrize("micro_batch", [1, 3, 4, 11])
def test_reading_ahead_gives_the_parts_asked_for(tmp_path, micro_batch) -> None:
    pictures = Pictures(
        numbered(tmp_path, 11),
        [Augmentation()] * 11,
        lambda path: Image.open(path).convert("RGB"),
        lambda image: torch.tensor(np.asarray(image)).permute(2, 0, 1),
        seed=0,
        threads=3,
        device="cpu",
    )
    order = np.random.default_rng(0).permutation(11)
    pixels = pictures.batch(order, np.zeros(11, dtype=int))
    starts = range(0, 11, micro_batch)
    parts = [slice(start, min(start + micro_batch, 11)) for start in starts]
    for part in [*parts, *parts[::-1][1:], *parts]:
        assert pixels(part)[:, 0, 0, 0].tolist() == order[part].tolist()
    assert pictures.plain(order)[:, 0, 1, 1].tolist() == order.tolist()
    pictures.close()


def test_layer_decay_counts_layers_from_the_top(study) -> None:
    encoder = load(study.clip, "cpu").model
    recipe = Recipe(lr=1.0, layer_decay=0.5, lr_scale=0.25)
    rates, decays = {}, {}
    names = {id(p): name for name, p in encoder.named_parameters()}
    for group in parameter_groups(encoder, recipe):
        for parameter in group["params"]:
            rates[names[id(parameter)]] = group["lr"]
            decays[names[id(parameter)]] = group["weight_decay"]
    assert set(rates) == set(names.values())
    assert rates["visual.proj"] == rates["visual.ln_post.weight"] == 1
    assert rates["visual.transformer.resblocks.1.mlp.c_fc.weight"] == 0.5
    assert rates["transformer.resblocks.0.mlp.c_fc.weight"] == 0.25
    assert rates["visual.conv1.weight"] == rates["token_embedding.weight"] == 0.125
    assert rates["logit_scale"] == 0.25 and decays["logit_scale"] == 0
    assert decays["visual.ln_post.weight"] == 0 and decays["visual.proj"] == 0.1


def test_towers_of_both_layouts() -> None:
    names = ("visual.proj", "text.proj", "token_embedding.weight", "logit_bias")
    assert [tower_of(n) for n in names] == ["image", "text", "text", "scalar"]


def test_the_likely_cause_fits_the_recipe() -> None:
    nan = float("nan")
    for recipe, scale, cause in (
        (Recipe(precision="fp16"), 10.0, "range of fp16"),
        (Recipe(), nan, "temperature diverged"),
        (Recipe(clip=None), 10.0, "set clip"),
    ):
        with pytest.raises(BakeoffError, match=cause):
            stop_unless_finite("loss", nan, 2, recipe, scale)
    stop_unless_finite("loss", 1.0, 2, Recipe(), 10.0)


def test_a_damaged_checkpoint_is_named(tmp_path) -> None:
    path = tmp_path / "checkpoint.pt"
    assert checkpoint.read(path, "a") is None
    checkpoint.write(path, "a", {"done": 3})
    assert checkpoint.read(path, "a") == {"done": 3}
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BakeoffError, match="cannot be read"):
        checkpoint.read(path, "a")


def test_layers_of_a_staged_tower() -> None:
    blocks = [f"visual.trunk.stages.{stage}.blocks.0" for stage in range(4)]
    layers = {block: number for number, block in enumerate(blocks, start=1)}
    names = {
        "visual.trunk.stem.0.weight": 5,
        "visual.trunk.stages.1.downsample.1.weight": 3,
        "visual.trunk.stages.3.blocks.0.gamma": 1,
        "visual.head.proj.weight": 0,
    }
    assert {name: model._below_top(name, layers) for name in names} == names
