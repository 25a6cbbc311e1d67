"""The presets: published settings, real encoder names, a plan on anybody's images."""

import re
from collections import Counter
from pathlib import Path

import pyarrow.compute as pc
import pytest
import yaml
from bakeoff.prompts import read_bank
from bakeoff.tables import read_table
from planning.make import make_plan
from support.workflow import write_images

ROOT = Path(__file__).parents[2]
# The ablation is a study of the demo's own images: nothing is left to be set.
PRESETS = sorted((ROOT / "config/studies").glob("[!a]*.yaml"))
TINY = ["tiny-clip", "tiny-random"]
ACTIVITIES = [
    "calling",
    "clapping",
    "cycling",
    "dancing",
    "drinking",
    "eating",
    "fighting",
    "hugging",
    "laughing",
    "listening to music",
    "running",
    "sitting",
    "sleeping",
    "texting",
    "using laptop",
]


def load(name: str) -> dict:
    return yaml.safe_load((ROOT / f"config/studies/{name}.yaml").read_text("utf-8"))


def on(config: dict, images: Path) -> dict:
    """The preset with the one path set that a user sets."""
    (study,) = config["studies"].values()
    return config | {
        "studies": {next(iter(config["studies"])): study | {"images": str(images)}}
    }


def test_the_ablation_changes_one_thing_at_a_time_with_three_seeds() -> None:
    config = load("ablation")
    tuned = Counter(e.split("+")[1][:-2] for e in config["encoders"] if "+" in e)
    assert tuned == dict.fromkeys(config["recipes"], 3)
    base = config["recipes"]["base"]
    changed = {
        name: {key for key in recipe if recipe[key] != base.get(key)}
        for name, recipe in config["recipes"].items()
    }
    assert changed == {
        "base": set(),
        "sigmoid": {"loss", "bias"},
        "batch": {"batch", "micro_batch"},
        "queue": {"queue"},
        "pair": {"positives"},
        "pair-queue": {"positives", "queue"},
    }


def test_there_are_three() -> None:
    assert [path.stem for path in PRESETS] == ["cv10", "har", "otolith2023"]


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_a_preset_needs_one_path_and_names_its_study_like_itself(
    path: Path, tmp_path: Path
) -> None:
    plan = make_plan(on(load(path.stem), tmp_path), ROOT)
    assert plan.studies == [path.stem]
    assert f"make run CONFIG=config/studies/{path.name}" in path.read_text("utf-8")
    catalogue = yaml.safe_load((ROOT / "config/encoders.yaml").read_text("utf-8"))
    named = plan.encoders(path.stem)
    assert len(named) > 1
    assert all("folder" not in catalogue[name] for name in named)


def test_otolith2023_has_the_published_settings(tmp_path: Path) -> None:
    plan = make_plan(on(load("otolith2023"), tmp_path), ROOT)
    assert plan.encoders("otolith2023")[0] == "clip-vit-l-14-336"
    assert plan.study("otolith2023")["clip"] == [1, 10]
    assert plan.config["protocols"]["holdout10"] == {
        "kind": "holdout",
        "test": 0.2,
        "validation": 0.15,
        "repeats": 10,
        "groups": "auto",
    }
    probes = plan.config["probes"]
    assert probes["ridge"]["alpha"] == 6.0
    assert (probes["svc"]["C"], probes["svc"]["kernel"]) == (0.1, "linear")
    assert plan.metrics("otolith2023") == ["accuracy", "within_1", "rmse"]


def test_cv10_differs_from_otolith2023_in_its_protocol_alone() -> None:
    one, other = load("otolith2023"), load("cv10")
    for key in ("encoders", "probes", "statistics"):
        assert one[key] == other[key]
    assert other["protocols"] == {"cv10": {"kind": "kfold", "folds": 10, "repeats": 1}}


def test_har_has_prompts_for_its_fifteen_classes() -> None:
    bank = read_bank(ROOT / "config/prompts/har.yaml", ACTIVITIES)
    assert {prompt.label for prompt in bank} == set(ACTIVITIES)
    assert "a photo of a person texting" in {prompt.text for prompt in bank}
    counts = [sum(p.label == label for p in bank) for label in ACTIVITIES]
    assert min(counts) >= 4


@pytest.mark.workflow
def test_otolith2023_runs_on_stand_ins_to_its_comparisons(workplace) -> None:
    workflow = workplace()
    ages = {str(age): 8 for age in (1, 3, 9, 11)}
    write_images(workflow.place / "data/otoliths", ages)
    config = load("otolith2023") | {"encoders": TINY}
    config["statistics"]["replicates"] = 999
    (workflow.place / "study.yaml").write_text(yaml.safe_dump(config))
    target = "results/otolith2023/comparisons.parquet"
    workflow.run("--configfile", "study.yaml", "--", target)
    rows = read_table(workflow.place / target, "comparisons")
    assert pc.unique(rows["verdict"].cast("string")).to_pylist()
    manifest = read_table(
        workflow.place / "results/otolith2023/manifest.parquet", "manifest"
    )
    assert max(manifest["value"].to_pylist()) == 10  # 11 years are clipped
    folds = read_table(
        workflow.place / "results/otolith2023/folds/holdout10.parquet", "folds"
    )
    assert len(pc.unique(folds["repeat"])) == 10


@pytest.mark.workflow
@pytest.mark.parametrize("name", ["har", "cv10"])
def test_the_others_plan_every_job_on_stand_ins(workplace, name: str) -> None:
    workflow = workplace()
    if name == "har":
        write_images(workflow.place / "data/har/train", dict.fromkeys(ACTIVITIES, 1))
        write_images(workflow.place / "data/har/test", dict.fromkeys(ACTIVITIES, 1))
    else:
        write_images(workflow.place / "data/otoliths", {"1": 1, "2": 1})
    config = load(name) | {"encoders": TINY}
    (workflow.place / "study.yaml").write_text(yaml.safe_dump(config))
    told = workflow.run("--dry-run", "--configfile", "study.yaml").stdout
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", told, re.MULTILINE))
    assert jobs["embed_images"] == "2"
    assert {"manifest", "probe", "compare", "summary"} <= jobs.keys()
    assert ("zeroshot" in jobs) == (name == "har")
