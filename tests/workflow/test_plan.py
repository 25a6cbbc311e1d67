"""Planning: names that are refused, rules that are complete, graphs that are current."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from bakeoff.errors import BakeoffError
from planning.make import make_plan
from planning.rulegraph import in_order
from planning.settings import SECTIONS, settings
from support.workflow import small_config

ROOT = Path(__file__).parents[2]


@pytest.fixture
def demo() -> dict:
    return yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))


def refusal(config: dict) -> str:
    with pytest.raises(BakeoffError) as caught:
        make_plan(config, ROOT)
    return str(caught.value)


def test_the_demo_is_a_plan(demo: dict) -> None:
    plan = make_plan(demo, ROOT)
    assert plan.studies == ["activities", "otoliths"]
    assert ("test", "zeroshot") in plan.runs("activities", "tiny-clip")
    assert "ages/cv10/ridge" in plan.figures("otoliths")
    assert "ages/cv10/ridge" not in plan.figures("activities")


def test_an_unknown_encoder_is_refused_with_the_closest_known_one(demo: dict) -> None:
    demo["encoders"] = ["tiny-clap", "tiny-random"]
    assert "'tiny-clap' is not defined; did you mean 'tiny-clip'?" in refusal(demo)


def test_unknown_probes_protocols_and_a_missing_control_are_told_together(
    demo: dict,
) -> None:
    demo["studies"]["activities"] |= {"probes": ["rigde"], "protocols": ["cv9"]}
    demo["control"] = "clip-vit-b-32"
    message = refusal(demo)
    assert "studies.activities.probes: 'rigde' is not defined; did you mean" in message
    assert "studies.activities.protocols: 'cv9'" in message
    assert "control: 'clip-vit-b-32' is not among the encoders" in message


def test_missing_images_are_told_before_anything_runs(demo: dict) -> None:
    demo["studies"] = {"x": {"images": "no/such/place", "labels": "nominal"}}
    assert "studies.x.images: no such folder: no/such/place" in refusal(demo)


def test_pairs_are_of_encoders_with_predictions(demo: dict) -> None:
    """Zero-shot has none of an encoder without a text tower, wherever it stands."""
    study = demo["studies"]["otoliths"]
    study["encoders"] = ["dinov2-b-14", "tiny-clip", "tiny-siglip"]
    demo["studies"] = {"otoliths": study | {"protocols": ["cv10"]}}
    plan = make_plan(demo | {"control": None}, ROOT)

    def pair(method: str) -> Iterator[list[str]]:
        run = SimpleNamespace(study="otoliths", protocol="cv10", method=method)
        for section in ("figure_classes", "figure_qualitative", "figure_disputes"):
            yield json.loads(settings(plan, section, run))["encoders"][:2]

    assert [*pair("ridge")] == [study["encoders"][:2]] * 3
    assert [*pair("zeroshot")] == [study["encoders"][1:]] * 3
    plan.study("otoliths")["encoders"] = study["encoders"][:2]
    figures = plan.figures("otoliths")
    assert {"classes/cv10/ridge", "confusion/cv10/zeroshot"} <= set(figures)
    assert not {"classes/cv10/zeroshot", "differences/cv10/zeroshot"} & set(figures)


def test_a_resolution_must_be_a_number(demo: dict) -> None:
    demo["encoders"] = ["tiny-clip@big"]
    demo["control"] = None
    assert "is a resolution in pixels" in refusal(demo)


def test_every_key_of_the_configuration_reaches_a_rule() -> None:
    """A key that no rule's settings hold could change without anything running again."""
    planning = ROOT / "workflow/scripts/planning"
    modules = ("plan", "settings", "make", "problems", "parts")
    paths = [planning / f"{name}.py" for name in modules]
    paths += (ROOT / "rules").glob("*.smk")
    text = "".join(path.read_text(encoding="utf-8") for path in paths)
    schema = yaml.safe_load((ROOT / "config/schema.yaml").read_text(encoding="utf-8"))
    keys = set(schema["properties"]) | set(schema["$defs"]["study"]["properties"])
    for section in ("extraction", "statistics", "demo"):
        keys |= set(schema["properties"][section]["properties"])
    assert {key for key in keys if f'"{key}"' not in text} == set()


def test_settings_are_functions_of_wildcards_alone() -> None:
    """Snakemake does not notice a change of a parameter that also takes input or output."""
    for path in (ROOT / "rules").glob("*.smk"):
        for params in re.findall(r"    params:\n((?:        .*\n)+)", path.read_text()):
            assert "lambda" not in params
            assert "input" not in params
    for section in SECTIONS.values():
        names = section.__code__.co_varnames[: section.__code__.co_argcount]
        assert names == ("plan", "wildcards")


def test_every_rule_has_a_log_a_conda_environment_and_tracked_code() -> None:
    for path in (ROOT / "rules").glob("*.smk"):
        for rule in re.split(r"^rule ", path.read_text(), flags=re.MULTILINE)[1:]:
            name = rule.split(":")[0]
            for directive in ("log:", "conda:", "message:", "script:", "resources:"):
                assert f"    {directive}" in rule, f"{name} has no {directive}"
            script = re.search(r'script:\n        "../workflow/scripts/(.*)"', rule)
            assert script, name
            assert script.group(1) == f"{name}.py"
            assert f'code=code_version("{name}.py")' in rule, name


def test_the_committed_rule_graph_is_that_of_the_workflow() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "snakemake", "--rulegraph", "dot"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    committed = (ROOT / "docs/rulegraph.dot").read_text(encoding="utf-8")
    assert in_order(made) == committed, "run `make graph`"


def test_five_studies_are_ranked_as_part_of_all(make_workflow) -> None:
    config = small_config()
    config["encoders"] = ["tiny-clip", "tiny-siglip", "tiny-random"]
    config["probes"] = {"ridge": {"kind": "ridge"}}
    study = {"images": "images", "labels": "nominal", "protocols": ["cv"]}
    config["studies"] = dict.fromkeys("abcde", study)
    jobs = make_workflow(config).planned()
    (ranked,) = jobs.of("ranks")
    assert ranked == "results/across/cv/ridge/accuracy/ranks.parquet"
    assert len(jobs.inputs[ranked]) == 5 * 3
    (drawn,) = jobs.of("figure_critical_difference")
    assert jobs.inputs[drawn] == [ranked]
