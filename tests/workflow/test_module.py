"""The workflow as a module of another one, in another folder, with an encoder of its own.

The encoder's entry is the one that docs/encoders.md shows.
"""

import json
import re
from pathlib import Path

import pytest
import timm
import torch
import yaml
from bakeoff.tables import provenance
from support.workflow import Workflow, small_config, write_images

pytestmark = pytest.mark.workflow

ROOT = Path(__file__).parents[2]
SNAKEFILE = f"""
configfile: "study.yaml"

module bakeoff:
    snakefile: "{ROOT}/Snakefile"
    config: config

use rule * from bakeoff
"""


def entry_of_the_guide() -> str:
    """The entry of three lines, as it stands on the page."""
    page = (ROOT / "docs/encoders.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(my-encoder:\n(?:  .*\n)*)```", page)
    assert block.count("\n") == 3
    return block


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory) -> Workflow:
    """A folder with a study, a catalogue of its own and none of the workflow's files."""
    place = tmp_path_factory.mktemp("elsewhere")
    (place / "Snakefile").write_text(SNAKEFILE)
    (place / "my-encoders.yaml").write_text(entry_of_the_guide())
    config = small_config()
    config |= {"catalogue": "my-encoders.yaml", "control": "tiny-random"}
    config["encoders"] = ["my-encoder", "tiny-random"]
    config["studies"]["colours"] |= {"prompts": "prompts.yaml", "protocols": ["cv"]}
    (place / "study.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    write_images(place / "images", {"red": 4, "green": 4})
    classes = {c: {"names": [c]} for c in ("red", "green")}
    bank = {"templates": ["a drawing of {}"], "classes": classes}
    (place / "prompts.yaml").write_text(json.dumps(bank))
    torch.manual_seed(0)
    model = timm.create_model("test_vit", num_classes=3)
    folder = place / "path/to/folder"
    timm.models.save_for_hf(model, folder, safe_serialization=True)
    return Workflow(place)


def test_everything_is_planned_from_another_folder(elsewhere: Workflow) -> None:
    done = elsewhere.run("--dry-run")
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout + done.stderr, re.MULTILINE))
    assert jobs["describe_weights"] == "1" and jobs["embed_images"] == "2"
    assert jobs["embed_texts"] == "1"  # my-encoder has no text tower
    assert int(jobs["total"]) > 20


def test_an_encoder_of_three_lines_works_at_the_first_try(elsewhere: Workflow) -> None:
    table = "results/colours/embeddings/my-encoder.parquet"
    elsewhere.run(table)
    origin = provenance(elsewhere.place / table, "embeddings")
    assert (origin["encoder"], origin["dimension"]) == ("my-encoder", 64)
    weights = elsewhere.place / "resources/local/my-encoder"
    note = json.loads((weights / "encoder.json").read_text())
    assert (note["resolution"], note["licence"]) == (160, "MIT")
    assert origin["key"]["files"] == note["files"]
