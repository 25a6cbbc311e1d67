"""What a user sees where `make run` fails: one message, once, and no traceback."""

import re

import pytest
from bakeoff.cli import main
from support.workflow import Workflow, least_config

pytestmark = pytest.mark.workflow
HERE = "CONFIG=config/config.yaml"


@pytest.fixture(scope="module")
def workflow(make_workflow) -> Workflow:
    return make_workflow()


def failing(workflow: Workflow, *arguments: str) -> str:
    done = workflow.make(*arguments)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout + done.stderr


def test_an_image_that_cannot_be_read_is_told_once(workflow: Workflow) -> None:
    image = workflow.place / "images/train/red/junk.png"
    image.write_text("junk")
    said = failing(workflow, "run", HERE)
    image.unlink()
    assert said.count("junk.png") == 1
    assert said.count("Repair or remove them") == 1


def test_a_resolution_below_a_patch_is_told_once(workflow: Workflow) -> None:
    workflow.write_config(
        least_config() | {"encoders": ["tiny-siglip@2", "tiny-random"]}
    )
    done = workflow.snakemake("results/colours/embeddings/tiny-siglip@2.parquet")
    said = done.stdout + done.stderr
    assert done.returncode != 0 and "Traceback" not in said
    assert (
        said.count("tiny-siglip@2: got a resolution that its image tower cannot") == 1
    )
    workflow.write_config(
        least_config() | {"encoders": ["tiny-siglip@0", "tiny-random"]}
    )
    assert failing(workflow, "run", HERE).count("'tiny-siglip@0' is no encoder id") == 1
    workflow.write_config(least_config())


def test_a_command_without_what_it_needs_is_told_once(workflow: Workflow) -> None:
    told = {
        ("run",): "got no CONFIG",
        ("run", "CONFIG=none.yaml"): "none.yaml: got no such file",
        ("status", "CONFIG=none.yaml"): "none.yaml: got no such file",
        ("index", "STUDY=colours"): "give both",
    }
    for arguments, message in told.items():
        assert failing(workflow, *arguments).count(message) == 1
    path = workflow.place / "twice.yaml"
    path.write_text(
        (workflow.place / "config/config.yaml").read_text() + "seed: 1\n" * 2
    )
    assert failing(workflow, "run", "CONFIG=twice.yaml").count("'seed'") == 1
    # Without make, Snakemake itself would keep the last of the two.
    done = workflow.snakemake("--dry-run", "--configfile", "twice.yaml")
    assert done.returncode != 0 and (done.stdout + done.stderr).count("'seed'") == 1


def test_what_search_advises_runs_as_printed(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(workflow.place)
    words = ["--image", "images/test/red/3.png", "--count", "1"]
    asked = ["search", *words, "--study", "colours", "--encoder", "tiny-random"]
    assert main(asked) == 1
    advised = re.search(r"make (index STUDY=\S+ ENCODER=\S+)", capsys.readouterr().err)
    done = workflow.make(*advised[1].split())
    assert done.returncode == 0, done.stdout + done.stderr
    assert main(asked) == 0
    assert capsys.readouterr().out.endswith("test/red/3.png\n")
