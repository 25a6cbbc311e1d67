"""What a real run leaves is what `bakeoff verify` expects, and exchanged files stop jobs."""

import shutil

import pytest
from bakeoff.records import record_path
from bakeoff.verify import verify
from support.workflow import Workflow

pytestmark = pytest.mark.workflow


def test_a_finished_study_matches(finished: Workflow) -> None:
    found = verify(finished.place / "results")
    assert found.problems == []
    assert found.images == 39 and found.weights == 2


def test_another_encoders_vectors_stop_the_job_that_reads_them(
    finished: Workflow,
) -> None:
    folder = finished.place / "results/colours"
    vectors = folder / "embeddings/tiny-clip.parquet"
    target = folder / "predictions/cv/ridge/tiny-clip.parquet"
    kept = {p: p.read_bytes() for p in (vectors, target, record_path(target))}
    shutil.copy(folder / "embeddings/tiny-random.parquet", vectors)
    try:
        name = str(target.relative_to(finished.place))
        done = finished.snakemake("--force", "--allowed-rules", "probe", "--", name)
        log = finished.place / "logs/probe/colours/cv/ridge/tiny-clip.log"
        assert done.returncode != 0
        assert "encoder tiny-random; expected a table of" in log.read_text()
    finally:
        for path, content in kept.items():
            path.write_bytes(content)
