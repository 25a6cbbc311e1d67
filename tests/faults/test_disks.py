"""Disks that are full or may not be written to: words in the log, nothing half there."""

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
    assert not list(table.parent.glob("*.parquet*")), "half a table was left"
    return log.read_text()


def test_a_full_disk(mounted, tmp_path: Path) -> None:
    place = tmp_path / "results"
    with mounted(place, "-t", "tmpfs", "-o", "size=64k", "none"):
        text = refusal(place / "table.parquet", tmp_path / "job.log")
    assert "a full disk" in text
    assert "what is finished stays" in text
    assert "Traceback" not in text


def test_a_read_only_disk(mounted, tmp_path: Path) -> None:
    place = tmp_path / "results"
    with mounted(place, "-t", "tmpfs", "-o", "ro", "none"):
        text = refusal(place / "table.parquet", tmp_path / "job.log", rows=1)
    assert "a read-only file system" in text
    assert "Traceback" not in text
