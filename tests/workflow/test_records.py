"""What is current is what the records beside the results say, whatever else is lost.

No `.snakemake`, old time stamps, copies, exchanged tables, an upgraded library: just the
right jobs run again, each with its reason.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.workflow import Jobs, Workflow, picture

pytestmark = pytest.mark.workflow

RIDGE = "results/colours/predictions/cv/ridge/tiny-{}.parquet"


@pytest.fixture(scope="module")
def everything(finished: Workflow) -> Jobs:
    return finished.planned("--forceall")


@pytest.fixture
def forgotten(restored: Workflow, tmp_path: Path) -> Iterator[Workflow]:
    """The finished study without Snakemake's own notes; they are put back."""
    notes = restored.place / ".snakemake"
    shutil.move(notes, tmp_path / "notes")
    yield restored
    shutil.rmtree(notes, ignore_errors=True)
    shutil.move(tmp_path / "notes", notes)


def why(workflow: Workflow, *arguments: str) -> str:
    return workflow.run("--dry-run", *arguments).stdout


def test_a_lost_folder_of_notes_costs_nothing(forgotten: Workflow) -> None:
    assert forgotten.planned().rules == {}


def test_a_changed_setting_is_seen_without_notes(
    forgotten: Workflow, everything: Jobs
) -> None:
    config = forgotten.config
    config["probes"]["ridge"]["alpha"] = 7.0
    forgotten.write_config(config)
    ridge = everything.of("*/predictions/*/ridge/*", "sensitivity")
    expected = everything.with_all_after(ridge)
    assert set(forgotten.planned().rules) == expected
    assert "probe.alpha was 6.0, is 7.0" in why(forgotten)


def test_an_added_image_is_seen_without_notes(
    forgotten: Workflow, everything: Jobs
) -> None:
    picture(997, "red").save(forgotten.place / "images/train/red/new.png")
    expected = everything.with_all_after(everything.of("manifest"))
    assert set(forgotten.planned().rules) == expected


def test_damaged_notes_cost_nothing(restored: Workflow, tmp_path: Path) -> None:
    notes = restored.place / ".snakemake"
    shutil.copytree(notes, tmp_path / "notes")
    for folder in ("metadata", "bakeoff"):
        for path in (notes / folder).rglob("*"):
            if path.is_file():
                path.write_bytes(b"\0 not what was written")
    assert restored.planned().rules == {}
    shutil.rmtree(notes)
    shutil.move(tmp_path / "notes", notes)


def test_an_input_older_than_its_output_is_compared(
    restored: Workflow, everything: Jobs
) -> None:
    """As `cp -p`, `rsync -t` and `tar` leave it."""
    prompts = restored.place / "prompts.yaml"
    prompts.write_text(prompts.read_text().replace("something", "anything"))
    os.utime(prompts, (0, 0))
    expected = everything.with_all_after(everything.of("embed_texts"))
    assert set(restored.planned().rules) == expected
    assert "inputs: prompts.yaml changed" in why(restored)


def test_exchanged_tables_are_made_again(restored: Workflow, everything: Jobs) -> None:
    first, second = (restored.place / RIDGE.format(e) for e in ("clip", "random"))
    kept = first.read_bytes(), second.read_bytes()
    first.write_bytes(kept[1])
    second.write_bytes(kept[0])
    for path in (first, second):
        os.utime(path, (0, 0))
    pair = everything.of(RIDGE.format("clip"), RIDGE.format("random"))
    assert set(restored.planned().rules) == everything.with_all_after(pair)
    assert "was changed afterwards" in why(restored)
    first.write_bytes(kept[0])
    second.write_bytes(kept[1])
    assert restored.planned().rules == {}


def test_code_that_ran_and_was_put_back_leaves_stale_results(
    restored: Workflow, everything: Jobs, tmp_path: Path
) -> None:
    """The table says what ran, even where planning never saw it."""
    target = RIDGE.format("clip")
    module = restored.place / "workflow/scripts/bakeoff/probes/ridge.py"
    text, table = module.read_text(), restored.place / target
    kept = [table, table.with_name(f".{table.name}.record.json")]
    for path in kept:
        shutil.copy2(path, tmp_path / path.name)
    module.write_text(text + "\n# edited\n")
    restored.run(target)
    module.write_text(text)
    expected = everything.with_all_after(everything.of(target))
    assert set(restored.planned().rules) == expected
    assert "code: bakeoff/probes/ridge.py" in why(restored)
    for path in kept:
        shutil.copy2(tmp_path / path.name, path)
    assert restored.planned().rules == {}


def test_a_copy_is_current_and_a_changed_copy_is_not(
    finished: Workflow, everything: Jobs, tmp_path: Path
) -> None:
    """Copied without notes and with new time stamps, to another path."""
    place = tmp_path / "elsewhere"
    ignored = shutil.ignore_patterns(".snakemake", "__pycache__")
    shutil.copytree(finished.place, place, copy_function=shutil.copy, ignore=ignored)
    copy = Workflow(place)
    assert copy.planned().rules == {}
    copy.write_config(copy.config | {"seed": 2})
    expected = set(finished.planned("--config", "seed=2").rules)
    assert set(copy.planned().rules) == expected != set()


@pytest.mark.parametrize(
    ("library", "rules"),
    [
        ("matplotlib", ["figure_*", "summary"]),
        (
            "scikit-learn",
            ["folds", "probe", "compare", "figure_embedding_map"],
        ),
        ("open-clip-torch", ["embed_*", "costs_settings", "costs", "provenance"]),
    ],
)
def test_an_upgraded_library_reruns_what_depends_on_it(
    restored: Workflow, everything: Jobs, tmp_path: Path, library: str, rules: list[str]
) -> None:
    note = tmp_path / f"site/{library.replace('-', '_')}-99.0.dist-info/METADATA"
    note.parent.mkdir(parents=True)
    note.write_text(f"Metadata-Version: 2.1\nName: {library}\nVersion: 99.0\n")
    upgraded = Workflow(
        restored.place, restored.environment | {"PYTHONPATH": str(tmp_path / "site")}
    )
    expected = everything.with_all_after(everything.of(*rules))
    assert set(upgraded.planned().rules) == expected
    assert f"libraries: {library} was " in why(upgraded)


def test_a_dry_run_changes_no_result(restored: Workflow) -> None:
    def state() -> dict[str, tuple[int, int]]:
        paths = (restored.place / "results").rglob("*")
        return {str(p): (p.stat().st_mtime_ns, p.stat().st_size) for p in paths}

    before = state()
    config = restored.config
    config["seed"] = 3
    restored.write_config(config)
    assert restored.planned().rules != {}
    assert state() == before


def test_the_engine_still_asks_for_what_is_answered_here(restored: Workflow) -> None:
    """Fails where another version of Snakemake no longer asks its persistence layer."""
    record = restored.place / "results/colours/.comparisons.parquet.record.json"
    text = record.read_text()
    record.unlink()
    try:
        assert "compare" in restored.planned().rules.values()
        assert "nothing says what it was made from" in why(restored)
    finally:
        record.write_text(text)
