"""The images of a study embedded by several jobs, as `make spread` does it."""

import json

import pytest
from support.workflow import Workflow, least_config

pytestmark = pytest.mark.workflow
EMBEDDINGS = "results/colours/embeddings/tiny-random.parquet"


def spread_config(images_per_job: int | None = 13) -> dict:
    # One image per batch: its vector is then the same, bit by bit, in any company.
    extraction = {"batch_size": 1, "images_per_job": images_per_job}
    return {**least_config(), "extraction": extraction}


def stored(workflow: Workflow) -> list[str]:
    return sorted(str(p) for p in (workflow.place / "results/store").rglob("shards/*"))


def test_parts_fill_the_store_and_an_ordinary_run_takes_all_from_it(
    make_workflow,
) -> None:
    workflow: Workflow = make_workflow(spread_config())
    spread = workflow.make("spread", "CORES=2")
    assert spread.returncode == 0, spread.stdout + spread.stderr
    notes = workflow.place.glob("results/colours/parts/tiny-random/*of3.json")
    found = [json.loads(path.read_text()) for path in notes]
    assert len(found) == 3
    assert sum(note["images"] for note in found) == 39
    assert all(note["new"] == note["images"] for note in found)
    shards = stored(workflow)
    workflow.run(EMBEDDINGS)
    assert stored(workflow) == shards, "something was encoded again"
    alone: Workflow = make_workflow(spread_config())
    alone.run(EMBEDDINGS)
    assert workflow.tables()[EMBEDDINGS] == alone.tables()[EMBEDDINGS]
    assert workflow.planned(EMBEDDINGS).rules == {}
    workflow.write_config(spread_config(39))
    assert workflow.planned(EMBEDDINGS).rules == {}
    other = workflow.run("--dry-run", "spread")
    assert "parts/tiny-random/1of1.json" in other.stdout + other.stderr
