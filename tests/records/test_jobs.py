"""A job's record: what it holds, what it notices, and what a job refuses."""

import json
from importlib.metadata import version
from pathlib import Path

import bakeoff
import pytest
from bakeoff.errors import BakeoffError
from bakeoff.files import sha256_of
from bakeoff.jobs import (
    code_hashes,
    job,
    refuse_mixed_libraries,
    refuse_other_library,
)
from bakeoff.records import (
    UNSETTLED,
    Record,
    content_hash,
    is_damaged,
    portable,
    read_record,
    record_path,
    write_record,
)
from bakeoff.tables import write_table

HOME = Path(bakeoff.__file__).resolve().parents[1]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with one input."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.csv").write_text("a\n1\n")
    return tmp_path


def run(**changed: object) -> job:
    given = {
        "log": "job.log",
        "inputs": ["in.csv"],
        "outputs": ["out.csv", "more.csv"],
        "params": {
            "settings": '{"alpha": 6.0}',
            "code": "bakeoff/errors.py@00000000",
            "libraries": "numpy==0.0.1",
        },
        "scripts": str(HOME),
    }
    return job(**(given | changed))


def test_a_record_holds_what_ran_and_not_what_was_planned(here: Path) -> None:
    with run():
        Path("out.csv").write_text("b\n")
        Path("more.csv").write_text("c\n")
    record = read_record("out.csv")
    assert record is not None
    assert record.settings == {"settings": '{"alpha": 6.0}'}
    assert record.libraries == {"numpy": version("numpy")}
    assert record.inputs == {"in.csv": sha256_of("in.csv")}
    assert record.outputs == {n: sha256_of(n) for n in ("out.csv", "more.csv")}
    assert record.code["bakeoff/errors.py"] == sha256_of(HOME / "bakeoff/errors.py")[:8]
    # Loaded, though not planned.
    assert record.code["bakeoff/jobs.py"] == sha256_of(HOME / "bakeoff/jobs.py")[:8]


def test_an_input_that_changes_while_the_job_runs_is_never_current(here: Path) -> None:
    with run():
        Path("out.csv").write_text("b\n")
        Path("in.csv").write_text("a\n2\n")
    record = read_record("out.csv")
    assert record is not None
    assert record.inputs == {"in.csv": UNSETTLED}


def test_a_job_that_fails_leaves_no_record(here: Path) -> None:
    with run():
        Path("out.csv").write_text("b\n")
    with pytest.raises(SystemExit), run():
        raise BakeoffError("here", "this", "that", "Do it.")
    assert read_record("out.csv") is None
    assert "Error: here: got this" in Path("job.log").read_text()


def test_code_that_is_gone_is_unsettled() -> None:
    assert code_hashes("bakeoff/no_such.py@12345678", HOME)["bakeoff/no_such.py"] == (
        UNSETTLED
    )


def test_the_library_of_another_copy_is_refused(tmp_path: Path) -> None:
    refuse_other_library(HOME / "bakeoff", HOME)
    with pytest.raises(BakeoffError, match="beside the script"):
        refuse_other_library(HOME / "bakeoff", tmp_path)


def test_a_job_with_another_library_writes_nothing(here: Path) -> None:
    with pytest.raises(SystemExit), run(scripts=str(here)):
        Path("out.csv").write_text("never")
    assert not Path("out.csv").exists()
    assert "the one beside the script" in Path("job.log").read_text()


def record(**changed: object) -> Record:
    given = {
        "script": "probe.py",
        "settings": {},
        "code": {},
        "libraries": {"numpy": "2.0.0"},
        "inputs": {},
        "outputs": {},
    }
    return Record(**(given | changed))


def test_tables_of_different_versions_are_refused_by_name(here: Path) -> None:
    write_record(record(), "a.parquet")
    write_record(record(libraries={"numpy": "2.0.1"}), "b.parquet")
    write_record(record(script="x.py", libraries={"numpy": "1.0"}), "c.parquet")
    refuse_mixed_libraries(["a.parquet", "c.parquet", "no-record.parquet"])
    with pytest.raises(BakeoffError) as caught:
        refuse_mixed_libraries(["a.parquet", "b.parquet"])
    for said in ("b.parquet", "numpy 2.0.1", "numpy 2.0.0", "a.parquet"):
        assert said in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"format": 1}',
        '{"format": 2}',
        "[" * 100_000,
        json.dumps({"format": 1, **record().__dict__, "inputs": {"a": 1}}),
        json.dumps({"format": 1, **record().__dict__, "more": 1}),
    ],
)
def test_a_damaged_record_says_nothing(here: Path, text: str) -> None:
    record_path("a.parquet").write_text(text)
    assert read_record("a.parquet") is None


def test_what_is_written_is_read(here: Path) -> None:
    write_record(record(), "a.parquet")
    assert read_record("a.parquet") == record()


def test_paths_do_not_name_the_folder_of_the_code() -> None:
    code = Path("/some/where")
    given = {"a": ["/some/where/config/x.yaml", 3], "/some/where/b": "/some/wherever"}
    assert portable(given, code) == {"a": ["config/x.yaml", 3], "b": "/some/wherever"}


def test_the_hash_of_a_table_is_the_checksum_that_it_states(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    columns = {"path": ["a.png"], "reason": ["empty"]}
    write_table(path, "quarantine", columns)
    first = content_hash(path)
    assert first is not None
    assert first.encode() in path.read_bytes()
    assert not is_damaged(path)
    write_table(path, "quarantine", {**columns, "reason": ["a link"]})
    assert content_hash(path) != first
    content = bytearray(path.read_bytes())
    content[10] ^= 1
    path.write_bytes(bytes(content))
    assert is_damaged(path)


def test_the_hash_of_a_folder_follows_names_and_contents(tmp_path: Path) -> None:
    assert content_hash(tmp_path / "none") is None
    folder = tmp_path / "index"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep/a").write_text("1")
    first = content_hash(folder)
    (folder / ".snakemake_timestamp").touch()
    assert content_hash(folder) == first
    (folder / "deep/a").write_text("2")
    second = content_hash(folder)
    (folder / "deep/a").rename(folder / "a")
    assert len({first, second, content_hash(folder)}) == 3
