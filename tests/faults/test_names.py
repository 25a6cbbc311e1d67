"""Class names that look like paths, options or markup, from the images to a figure."""

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.workflow import Workflow, least_config

pytestmark = pytest.mark.workflow
NAMES = (
    *("../../x", "/etc/x", "-rf", "<script>alert(1)</script>", "line\nbreak"),
    *("x" * 300, "CON", "=1+1", "$x_{", "{0.__class__}"),
)
MAY_GROW = ("results", "logs", "benchmarks", ".snakemake")
FIGURE = "results/colours/figures/confusion/cv/ridge.svg"
METRICS = "results/colours/metrics/tiny-random.parquet"


def files(workflow: Workflow) -> set[Path]:
    """All files in and beside the working directory but those that a run may write."""
    place = workflow.place
    around = {path for path in place.parent.iterdir() if path.is_file()}
    inside = {path for path in place.rglob("*") if "__pycache__" not in path.parts}
    return around | {p for p in inside if p.relative_to(place).parts[0] not in MAY_GROW}


def test_hostile_class_names_are_only_names(make_workflow) -> None:
    config = least_config()
    config["studies"]["colours"] |= {"labels_file": "labels.csv"}
    workflow: Workflow = make_workflow(config)
    images = sorted((workflow.place / "images").rglob("*.png"))
    with (workflow.place / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "label"])
        for i, path in enumerate(images):
            name = path.relative_to(workflow.place / "images")
            table.writerow([name.as_posix(), NAMES[i % len(NAMES)]])
    before = files(workflow)
    workflow.run("--", METRICS, FIGURE)
    assert files(workflow) == before
    manifest = pq.read_table(workflow.place / "results/colours/manifest.parquet")
    assert set(manifest["label"].to_pylist()) == set(NAMES)
    assert "<script" not in (workflow.place / FIGURE).read_text()
