"""Faults in the middle of a study: the right result in the end, or one clear error."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bakeoff.images import sha256_of
from bakeoff.records import record_path
from bakeoff.tables import read_table
from support.workflow import LEAST_TARGET, Workflow, picture

pytestmark = pytest.mark.workflow
MANIFEST = "results/colours/manifest.parquet"
FOLDS = "results/colours/folds/cv.parquet"
EMBEDDINGS = "results/colours/embeddings/tiny-random.parquet"


@pytest.fixture(scope="module")
def least(make_workflow) -> Workflow:
    workflow = make_workflow()
    workflow.run(LEAST_TARGET)
    return workflow


@pytest.fixture
def finished(least: Workflow, tmp_path: Path) -> Iterator[Workflow]:
    """The smallest study at its end, put back after the test."""
    kept = (".snakemake", "results", "images")
    for name in kept:
        shutil.copytree(least.place / name, tmp_path / name, symlinks=True)
    yield least
    for name in kept:
        shutil.rmtree(least.place / name)
        shutil.copytree(tmp_path / name, least.place / name, symlinks=True)


def test_a_clock_that_jumps_changes_nothing(finished: Workflow) -> None:
    """Results of the future, of 1980, and older than what they were made from."""
    day, now = 86_400, time.time()
    jumps = (now + 400 * day, 10 * 365 * day, now - day, now + day)
    tables = sorted(finished.place.glob("results/**/*.parquet"))
    images = sorted(finished.place.glob("images/**/*.png"))
    for place, path in enumerate([*tables, *images]):
        os.utime(path, (jumps[place % 4],) * 2)
    assert finished.planned(LEAST_TARGET).rules == {}


@pytest.mark.parametrize("damage", ["cut short", "a flipped bit"])
def test_a_damaged_table_is_made_again(finished: Workflow, damage: str) -> None:
    before = finished.tables()
    path = finished.place / EMBEDDINGS
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole if damage == "a flipped bit" else whole[:-100])
    os.utime(path, (0, 0))
    planned = finished.run("--dry-run", LEAST_TARGET).stdout
    what = "is damaged" if damage == "a flipped bit" else "was changed afterwards"
    assert f"outputs: {EMBEDDINGS} {what}" in planned
    finished.run(LEAST_TARGET)
    assert finished.tables() == before


def test_a_table_damaged_during_a_run_is_one_error_that_says_what_to_do(
    finished: Workflow,
) -> None:
    """As the job meets it that reads the table: planning has seen it whole."""
    path = finished.place / EMBEDDINGS
    script = finished.place / "workflow/scripts/probe.py"
    text, before = script.read_text(), path.read_bytes()
    cut = "from pathlib import Path\n"
    damage = f'{cut}p = Path("{EMBEDDINGS}"); p.write_bytes(p.read_bytes()[:-100])\n'
    script.write_text(text.replace(cut, damage, 1))
    try:
        failed = finished.snakemake(LEAST_TARGET)
    finally:
        script.write_text(text)
    log = finished.place / "logs/probe/colours/cv/ridge/tiny-random.log"
    told = log.read_text()
    assert failed.returncode != 0
    assert told.count("Error: ") == 1 and "Traceback" not in told
    assert f"{EMBEDDINGS}: got a damaged file" in told
    assert "Delete it and run again" in told
    path.write_bytes(before)
    finished.run(LEAST_TARGET)


def test_images_that_vanish_or_change_are_taken_as_they_now_are(
    finished: Workflow,
) -> None:
    before = vectors_by_id(finished)
    images = finished.place / "images"
    gone, changed = images / "train/red/0.png", images / "train/red/1.png"
    former = {sha256_of(gone), sha256_of(changed)}
    gone.unlink()
    status = changed.stat()
    picture(998, "red").save(changed)
    os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))
    finished.run(EMBEDDINGS, FOLDS)
    after = vectors_by_id(finished)
    assert set(after) == {sha256_of(path) for path in images.rglob("*.png")}
    assert set(before) - set(after) == former
    assert set(after) - set(before) == {sha256_of(changed)}
    assert all(after[name] == before[name] for name in set(before) & set(after))
    folds = read_table(finished.place / FOLDS, "folds")
    assert set(folds["image_id"].to_pylist()) == set(after)


def vectors_by_id(workflow: Workflow) -> dict[str, list[float]]:
    table = read_table(workflow.place / EMBEDDINGS, "embeddings")
    columns = (table[name].to_pylist() for name in ("image_id", "embedding"))
    return dict(zip(*columns, strict=True))


def test_a_file_that_a_slow_file_system_shows_late(make_workflow) -> None:
    """Hidden as soon as the job has made it, and shown again two seconds later."""
    workflow: Workflow = make_workflow()
    made = workflow.place / MANIFEST
    run = workflow.start("--", MANIFEST)
    while not record_path(made).exists():
        assert run.poll() is None, (workflow.place / "run.out").read_text()
    made.rename(hidden := made.with_name("hidden"))
    with pytest.raises(subprocess.TimeoutExpired):
        run.wait(2)
    hidden.rename(made)
    assert run.wait(60) == 0, (workflow.place / "run.out").read_text()
    assert workflow.planned(MANIFEST).rules == {}
