"""Recipes: everything wrong at once, and the named ones are sound."""

import dataclasses
from pathlib import Path

import pytest
import yaml
from bakeoff.errors import BakeoffError
from bakeoff.finetune.augment import Augmentation
from bakeoff.finetune.recipe import Recipe
from planning.config import complete, load_schema

NAMED = Path(__file__).parents[2] / "config" / "recipes.yaml"


def test_defaults_are_sound() -> None:
    assert Recipe().problems() == []


def test_all_problems_are_named_at_once() -> None:
    settings = {
        "los": "infonce",
        "batch": 1.5,
        "lr": -1,
        "precision": "int8",
        "patience": 2,
        "positive_weight": "balanced",
        "augmentation": {"crop": 3, "zoom": 1},
        "class_augmentation": {"texting": {"flip": 2}},
    }
    with pytest.raises(BakeoffError) as error:
        Recipe.of(settings, "recipe har")
    text = str(error.value)
    for part in (
        "recipe har",
        "unknown key 'los'",
        "batch: 1.5 is not a whole number",
        "lr: -1 is not a number of 0..10",
        "precision: 'int8' is none of fp32, bf16, fp16",
        "patience and wise: auto need validation",
        "positive_weight belongs to loss: sigmoid",
        "augmentation: unknown key 'zoom'",
        "augmentation.crop: 3 is not within",
        "class_augmentation.texting.flip: 2 is not within",
    ):
        assert part in text


@pytest.mark.parametrize(
    "settings",
    [{"batch": True}, {"clip": "none"}, {"wise": "best"}, {"scale_end": 5.0}],
)
def test_wrong_types_are_refused(settings) -> None:
    with pytest.raises(BakeoffError):
        Recipe.of(settings)


def test_words_and_augmentations_are_read() -> None:
    recipe = Recipe.of(
        {
            "loss": "sigmoid",
            "positive_weight": "balanced",
            "clip": None,
            "class_augmentation": {"texting": {"flip": 0}},
            "augmentation": {"flip": 0.5},
        }
    )
    assert recipe.augmentation == Augmentation(flip=0.5)
    assert recipe.class_augmentation == {"texting": Augmentation()}


def test_the_schema_has_every_key_with_its_default() -> None:
    schema = load_schema(NAMED.with_name("schema.yaml"))
    config = {"encoders": ["a"], "recipes": {"plain": {}}}
    config |= {"studies": {"s": {"images": "x", "labels": "nominal"}}}
    filled = complete(config, schema)["recipes"]["plain"]
    assert filled == dataclasses.asdict(Recipe())


def test_named_recipes_are_sound() -> None:
    recipes = yaml.safe_load(NAMED.read_text())
    built = {name: Recipe.of(keys, name) for name, keys in recipes.items()}
    assert built["har-siglip"].batch == built["har-siglip"].queue == 32_768
    assert built["har-clip"].batch == 4096
    assert built["siglit"].towers == "text"
