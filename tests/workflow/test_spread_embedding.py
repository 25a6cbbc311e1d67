"""Images that several jobs share are embedded once each, and end in the same table."""

import numpy as np
import pytest
from bakeoff.tables import read_table, vectors
from support.workflow import Workflow, least_config

pytestmark = pytest.mark.workflow

TARGET = "results/colours/embeddings/tiny-random.parquet"


@pytest.fixture(scope="module")
def spread(make_workflow) -> Workflow:
    workflow = make_workflow(least_config() | {"extraction": {"jobs": 3}})
    workflow.run("--", TARGET)
    return workflow


def test_each_image_is_embedded_by_one_job(spread: Workflow) -> None:
    logs = spread.place.glob("logs/embed_part/colours/tiny-random/*-of-3.log")
    lines = [log.read_text().split("tiny-random: ")[1].splitlines()[0] for log in logs]
    counts = [int(line.split(" images, ")[0]) for line in lines]
    assert len(counts) == 3 and sum(counts) == 39 and min(counts) > 0
    pairs = zip(counts, lines, strict=True)
    assert all(line == f"{n} images, {n} new" for n, line in pairs)
    log = spread.place / "logs/embed_images/colours/tiny-random.log"
    assert "39 images, 0 new" in log.read_text()


def test_what_is_left_is_one_table_and_nothing_to_do(spread: Workflow) -> None:
    folder = spread.place / "results/colours/embeddings"
    assert [path.name for path in folder.rglob("*.parquet")] == ["tiny-random.parquet"]
    assert len(spread.planned("--", TARGET)) == 0


def test_the_table_is_that_of_a_single_job(spread: Workflow, make_workflow) -> None:
    alone = make_workflow(least_config())
    alone.run("--", TARGET)
    tables = [read_table(w.place / TARGET, "embeddings") for w in (spread, alone)]
    assert tables[0]["image_id"].equals(tables[1]["image_id"])
    one, other = map(vectors, tables)
    np.testing.assert_allclose(one, other, atol=1e-5)
