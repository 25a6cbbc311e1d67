"""Small studies laid out with their own copy of the code."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.workflow import CODE, Workflow, small_config, write_images


@pytest.fixture(scope="session")
def make_workflow(tmp_path_factory: pytest.TempPathFactory, repository: Path):
    """A function that lays out a fresh working directory."""

    def make(config: dict | None = None) -> Workflow:
        place = tmp_path_factory.mktemp("workflow")
        for name in CODE:
            source = repository / name
            if source.is_dir():
                ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
                shutil.copytree(source, place / name, ignore=ignore)
            else:
                shutil.copy(source, place / name)
        for rules in (place / "rules").glob("*.smk"):
            # Where a rule has a message, a dry run shows it instead of the job's files.
            text = re.sub(r"    message:\n        .*\n", "", rules.read_text())
            rules.write_text(text)
        (place / "config").mkdir()
        for name in ("schema.yaml", "encoders.yaml", "recipes.yaml"):
            shutil.copy(repository / "config" / name, place / "config" / name)
        (place / "resources").mkdir()
        shutil.copytree(repository / "resources/encoders", place / "resources/encoders")
        write_images(place / "images/train", {"red": 8, "green": 8, "blue": 8})
        write_images(place / "images/test", {"red": 5, "green": 5, "blue": 5}, seed=100)
        (place / "prompts.yaml").write_text(
            json.dumps(
                {
                    "templates": ["a drawing of {}", "something {}"],
                    "classes": {c: {"names": [c]} for c in ("red", "green", "blue")},
                }
            )
        )
        workflow = Workflow(place)
        workflow.write_config(config or small_config())
        return workflow

    return make


@pytest.fixture(scope="session")
def finished(make_workflow) -> Workflow:
    """The small study, run to its end. Tests that change it must change it back."""
    workflow = make_workflow()
    workflow.run()
    return workflow


@pytest.fixture
def restored(finished: Workflow, tmp_path: Path) -> Iterator[Workflow]:
    """`finished`, with its code, configuration and images put back after the test."""
    kept = ("workflow", "rules", "config", "images", "resources", "prompts.yaml")
    for name in kept:
        source = finished.place / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name)
        else:
            shutil.copy2(source, tmp_path / name)
    yield finished
    for name in kept:
        target = finished.place / name
        if target.is_dir():
            shutil.rmtree(target)
            shutil.copytree(tmp_path / name, target)
        else:
            shutil.copy2(tmp_path / name, target)
