"""Disks that are full or may not be written to: one clear error, nothing half there."""

import resource
from pathlib import Path

import numpy as np
import pytest
from bakeoff.logs import logged
from bakeoff.tables import write_table


def refusal(table: Path, log: Path, rows: int = 20_000) -> str:
    """What the log says where a job cannot write `table`."""
    noise = np.random.default_rng(0).integers(10**9, size=rows)
    reasons = [str(number) for number in noise]
    with pytest.raises(SystemExit) as ended, logged(log):
        write_table(table, "quarantine", {"path": reasons, "reason": reasons})
    assert ended.value.code == 1
    left = [path.name for path in table.parent.iterdir() if table.stem in path.name]
    assert not left, "half a table was left"
    return log.read_text()


def test_a_full_disk(full_disk, tmp_path: Path) -> None:
    with full_disk(tmp_path / "results") as place:
        text = refusal(place / "table.parquet", tmp_path / "job.log")
    assert "a full disk" in text
    assert "what is finished stays" in text
    assert "Traceback" not in text


def test_a_read_only_disk(read_only_disk, tmp_path: Path) -> None:
    with read_only_disk(tmp_path / "results") as place:
        text = refusal(place / "table.parquet", tmp_path / "job.log", rows=1)
    assert "a read-only file system" in text
    assert "Traceback" not in text


def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    (tmp_path / "results").mkdir()
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, former[1]))
    try:
        text = refusal(tmp_path / "results/table.parquet", tmp_path / "job.log")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
    assert "a file larger than allowed here" in text
    assert "ulimit -f" in text and "Traceback" not in text
