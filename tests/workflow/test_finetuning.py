"""Fine-tuned encoders in the workflow: refusals, one study to its end, exact reruns."""

import json
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from bakeoff.errors import BakeoffError
from bakeoff.tables import read_table
from planning.encoder_id import EncoderId, parse
from planning.make import make_plan
from support.workflow import Jobs, Workflow, small_config

ROOT = Path(__file__).parents[2]
TUNED = "tiny-clip+short"
AGAIN = "tiny-clip+short~2"
OTHER = "tiny-siglip+plain~7"
# All that fine-tuned encoders take part in; pages and other figures are tested elsewhere.
TARGETS = (
    "results/colours/comparisons.parquet",
    "results/colours/variance.parquet",
    "results/colours/figures/training.svg",
)


def tuned_config() -> dict:
    """The small study with three fine-tuned encoders, three steps each."""
    config = small_config()
    short = {"batch": 16, "micro_batch": 8, "epochs": 2, "lr": 1e-4}
    config["recipes"] = {"short": short, "plain": {**short, "loss": "sigmoid"}}
    config["encoders"] = ["tiny-clip", TUNED, AGAIN, OTHER]
    del config["control"]
    config["probes"] = {}
    config["studies"]["colours"]["protocols"] = ["test"]
    return config


@pytest.fixture
def demo() -> dict:
    return yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))


def refusal(config: dict) -> str:
    with pytest.raises(BakeoffError) as caught:
        make_plan(config, ROOT)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a", EncoderId("a")),
        ("a@96", EncoderId("a", resolution=96)),
        ("a+b", EncoderId("a", "b")),
        ("a+b~2", EncoderId("a", "b", 2)),
        ("a+b~2@96", EncoderId("a", "b", 2, 96)),
        ("a~2", None),
        ("a@96+b", None),
        ("a+b+c", None),
        ("a+b~x", None),
        ("+b", None),
    ],
)
def test_the_parts_of_an_id(text: str, parts: EncoderId | None) -> None:
    assert parse(text) == parts


def test_unknown_recipes_and_impossible_bases_are_told_together(demo: dict) -> None:
    demo["studies"]["activities"]["encoders"] = [
        "tiny-clip+tiny-dmo",
        "dinov2-b-14+flyp",
        "siglip-b-16-224-hf+flyp",
        "tiny-clip@big",
    ]
    message = refusal(demo)
    assert "'tiny-dmo' is not defined; did you mean 'tiny-demo'?" in message
    assert "dinov2-b-14 is none" in message
    assert "siglip-b-16-224-hf is none" in message
    assert "is a resolution in pixels" in message


def test_a_study_without_a_fixed_test_set_refuses_fine_tuning(demo: dict) -> None:
    demo["studies"]["otoliths"]["encoders"] = ["tiny-clip+tiny-demo"]
    message = refusal(demo)
    assert "studies.otoliths.protocols: tiny-clip+tiny-demo would be tested" in message


def test_a_study_without_prompts_refuses_fine_tuning(demo: dict) -> None:
    del demo["studies"]["activities"]["prompts"]
    assert "studies.activities.prompts: missing" in refusal(demo)


def test_contradictions_within_a_recipe_are_told_when_planning(demo: dict) -> None:
    demo["recipes"] = {"bad": {"patience": 2}, "worse": {"positive_weight": 3}}
    message = refusal(demo)
    assert "recipes.bad: patience and wise: auto need validation" in message
    assert "recipes.worse: positive_weight belongs to loss: sigmoid" in message


def test_a_recipe_of_a_presets_name_takes_its_place(demo: dict) -> None:
    demo["recipes"] = {"flyp": {"epochs": 3}}
    recipes = make_plan(demo, ROOT).config["recipes"]
    assert recipes["flyp"]["epochs"] == 3 and recipes["flyp"]["batch"] == 256
    assert recipes["har-clip"]["batch"] == 4096


def test_fine_tuned_encoders_are_scored_on_the_fixed_test_set_alone(
    demo: dict,
) -> None:
    plan = make_plan(demo, ROOT)
    tuned = plan.finetuned("activities")
    assert len(tuned) == 2
    for encoder in tuned:
        assert {protocol for protocol, _ in plan.runs("activities", encoder)} == {
            "test"
        }
    assert {p for p, _ in plan.runs("activities", "tiny-clip")} == {"cv10", "test"}
    assert "training" in plan.figures("activities")
    assert "training" not in plan.figures("otoliths")


@pytest.fixture(scope="module")
def tuned(make_workflow) -> Workflow:
    workflow = make_workflow(tuned_config())
    workflow.run(*TARGETS)
    return workflow


@pytest.fixture(scope="module")
def everything(tuned: Workflow) -> Jobs:
    return tuned.planned("--forceall", *TARGETS)


@pytest.fixture
def restored(tuned: Workflow):
    yield tuned
    tuned.write_config(tuned_config())


@pytest.mark.workflow
def test_a_fine_tuned_encoder_goes_through_the_whole_workflow(tuned: Workflow) -> None:
    results = tuned.place / "results/colours"
    card = json.loads((results / f"finetuned/{TUNED}/encoder.json").read_text())
    assert card["id"] == TUNED and card["source"] == "fine-tuned from tiny-clip"
    assert card["finetuned"]["seed"] == 1
    other = json.loads((results / f"finetuned/{OTHER}/encoder.json").read_text())
    assert other["finetuned"]["seed"] == 7
    assert not list((results / "finetuned").glob("*.state"))
    assert read_table(results / f"training/{TUNED}.parquet", "training").num_rows == 3
    compared = read_table(results / "comparisons.parquet", "comparisons")
    rows = compared.select(["a", "b", "protocol"]).to_pylist()
    pairs = {(row["a"], row["b"]) for row in rows if row["protocol"] == "test"}
    assert any(TUNED in pair for pair in pairs)
    assert (results / "figures/training.svg").stat().st_size > 5_000


@pytest.mark.workflow
def test_seeds_and_prompts_are_sources_of_variance(tuned: Workflow) -> None:
    results = tuned.place / "results/colours"
    rows = read_table(results / "variance.parquet", "variance").to_pylist()
    found = {(r["design"], r["source"]): r["levels"] for r in rows}
    assert found == {
        ("encoders x prompts", "encoder"): 4,
        ("encoders x prompts", "prompt"): 2,
        ("encoders x prompts", "residual"): 8,
        ("seeds within encoders", "seed"): 2,
    }
    # One recipe with two seeds: nothing to compare it with.
    assert read_table(results / "seeds.parquet", "seeds").num_rows == 0


@pytest.mark.workflow
def test_one_key_of_a_recipe_reruns_its_encoders_and_what_gathers(
    restored: Workflow, everything: Jobs
) -> None:
    assert restored.planned(*TARGETS).rules == {}
    config = tuned_config()
    config["recipes"]["short"]["lr"] = 2e-4
    restored.write_config(config)
    first = everything.of(f"results/colours/finetuned/{TUNED}*/encoder.json")
    assert len(first) == 2
    planned = restored.planned(*TARGETS)
    assert set(planned.rules) == everything.with_all_after(first)
    own = planned.of(f"*{TUNED}*")
    assert {planned.rules[job] for job in own} == {
        "finetune",
        "embed_images",
        "embed_texts",
        "zeroshot",
        "metrics",
    }
    gathering = {planned.rules[job] for job in set(planned.rules) - own}
    assert not gathering & {"finetune", "embed_images", "embed_texts", "manifest"}


@pytest.mark.workflow
def test_a_recipe_that_no_encoder_uses_reruns_nothing(restored: Workflow) -> None:
    config = tuned_config()
    config["recipes"]["idle"] = {"epochs": 1}
    config["recipes"]["har-clip"] = {"batch": 8192}
    restored.write_config(config)
    assert restored.planned(*TARGETS).rules == {}


@pytest.mark.workflow
def test_a_further_seed_is_a_further_encoder(
    restored: Workflow, everything: Jobs
) -> None:
    config = deepcopy(tuned_config())
    config["encoders"].append("tiny-clip+short~3")
    restored.write_config(config)
    planned = restored.planned(*TARGETS)
    assert planned.of("finetune") == {
        "results/colours/finetuned/tiny-clip+short~3/encoder.json"
    }
    assert not planned.of("*tiny-siglip*")
