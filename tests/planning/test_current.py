"""Every difference between a record and today is a reason, and nothing else is."""

from dataclasses import replace
from pathlib import Path

import pytest
from bakeoff.files import sha256_of
from bakeoff.records import UNSETTLED, Record, record_path, write_record
from planning.contents import DAMAGED, Contents
from planning.current import NO_RECORD, Current

PARAMS = {
    "settings": '{"probe": {"alpha": 6.0, "kind": "ridge"}}',
    "images": "38 files 1b2c",
    "code": "probe.py@11111111 bakeoff/tables.py@22222222",
    "libraries": "numpy==2.0.0 scipy==1.0.0",
}
RECORD = Record(
    script="probe.py",
    settings={k: PARAMS[k] for k in ("settings", "images")},
    code={"probe.py": "11111111", "bakeoff/tables.py": "22222222"},
    libraries={"numpy": "2.0.0", "scipy": "1.0.0"},
    inputs={"in.csv": "aaaa", "config/prompts.yaml": "bbbb"},
    outputs={"out.csv": "cccc"},
)
CONTENT = {"in.csv": "aaaa", "/code/config/prompts.yaml": "bbbb", "out.csv": "cccc"}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def reasons(
    record: Record | None = RECORD,
    *,
    params: dict | None = None,
    content: dict | None = None,
    inputs: list[str] | None = None,
    ignored: tuple[str, ...] = (),
    own_libraries: bool = True,
) -> list[str]:
    if record:
        write_record(record, "out.csv")
    found = CONTENT | (content or {})
    current = Current(Path("/code"), found.get, own_libraries=own_libraries)
    asked = ["in.csv", "/code/config/prompts.yaml"] if inputs is None else inputs
    return current.reasons(["out.csv"], asked, PARAMS | (params or {}), ignored)


def test_nothing_differs() -> None:
    assert reasons() == []


def test_without_a_record_nothing_is_known() -> None:
    assert reasons(None) == [NO_RECORD]
    record_path("out.csv").write_text("{")
    assert reasons(None) == [NO_RECORD]


def test_a_setting_is_named_with_its_values() -> None:
    changed = {"settings": '{"probe": {"alpha": 7.0, "kind": "ridge"}}'}
    assert reasons(params=changed) == ["settings: probe.alpha was 6.0, is 7.0"]
    assert reasons(params={"images": "39 files 3d4e"}) == [
        'settings: images was "38 files 1b2c", is "39 files 3d4e"'
    ]


def test_the_order_of_keys_is_no_difference() -> None:
    turned = {"settings": '{"probe": {"kind": "ridge", "alpha": 6.0}}'}
    assert reasons(params=turned) == []


def test_two_values_that_change_places_are_a_difference() -> None:
    record = replace(RECORD, settings={"settings": '{"a": 1, "b": 2}', "images": "x"})
    now = {"settings": '{"a": 2, "b": 1}', "images": "x"}
    assert reasons(record, params=now) == ["settings: a was 1, is 2, b was 2, is 1"]


def test_code_is_compared_file_by_file() -> None:
    changed = {"code": "probe.py@11111111 bakeoff/tables.py@99999999"}
    assert reasons(params=changed) == ["code: bakeoff/tables.py"]
    more = {"code": PARAMS["code"] + " bakeoff/new.py@33333333"}
    assert reasons(params=more) == ["code: bakeoff/new.py"]
    unsettled = replace(RECORD, code=RECORD.code | {"probe.py": UNSETTLED})
    assert reasons(unsettled) == ["code: probe.py"]


def test_code_that_ran_unplanned_is_compared_with_the_disk(tmp_path: Path) -> None:
    file = tmp_path / "workflow/scripts/extra.py"
    file.parent.mkdir(parents=True)
    file.write_text("x = 1\n")
    ran = replace(RECORD, code=RECORD.code | {"extra.py": sha256_of(file)[:8]})
    write_record(ran, "out.csv")
    found = {path.removeprefix("/code/"): h for path, h in CONTENT.items()}
    inputs = ["in.csv", "config/prompts.yaml"]

    def now() -> list[str]:
        current = Current(tmp_path, found.get, own_libraries=True)
        return current.reasons(["out.csv"], inputs, PARAMS)

    assert now() == []
    other = replace(RECORD, code=RECORD.code | {"extra.py": "00000000"})
    write_record(other, "out.csv")
    assert now() == ["code: extra.py"]


def test_a_library_is_named_with_its_versions() -> None:
    now = {"libraries": "numpy==2.0.1 scipy==1.0.0"}
    assert reasons(params=now) == ["libraries: numpy was 2.0.0, is 2.0.1"]
    assert reasons(params={"libraries": "numpy==2.0.0"}) == [
        "libraries: scipy was 1.0.0, is not used"
    ]
    # Jobs in an environment of their own have other versions than this process.
    assert reasons(params=now, own_libraries=False) == []


def test_inputs_are_compared_by_content_and_as_a_set() -> None:
    assert reasons(content={"in.csv": "dddd"}) == ["inputs: in.csv changed"]
    assert reasons(content={"in.csv": "dddd"}, ignored=("in.csv",)) == []
    assert reasons(content={"in.csv": None}) == []  # another job makes it
    more = ["in.csv", "/code/config/prompts.yaml", "new.csv"]
    assert reasons(inputs=more, content={"new.csv": "x"}) == ["inputs: new.csv is new"]
    assert reasons(inputs=["in.csv"]) == [
        "inputs: config/prompts.yaml is no longer used"
    ]
    meanwhile = replace(RECORD, inputs=RECORD.inputs | {"in.csv": UNSETTLED})
    assert reasons(meanwhile) == ["inputs: in.csv changed while the job ran"]


def test_outputs_that_are_not_as_the_job_left_them() -> None:
    assert reasons(content={"out.csv": "eeee"}) == [
        "outputs: out.csv was changed afterwards"
    ]
    assert reasons(content={"out.csv": DAMAGED}) == ["outputs: out.csv is damaged"]
    assert reasons(content={"out.csv": None}) == ["outputs: out.csv is missing"]


def test_known_hashes_are_not_computed_again(tmp_path: Path) -> None:
    cache, file = tmp_path / "cache/contents.json", tmp_path / "a.csv"
    file.write_text("1")
    first = Contents(cache)
    assert first.hash(str(file)) == sha256_of(file)
    assert first.hash(str(tmp_path / "none")) is None
    first.save()
    text = cache.read_text().replace(sha256_of(file), "remembered")
    cache.write_text(text)
    assert Contents(cache).hash(str(file)) == "remembered"
    file.write_text("2")  # of the same size
    assert Contents(cache).hash(str(file)) == sha256_of(file)
    for damaged in ("{", "[]", '{"a": 1}', '{"a": ["b"]}'):
        cache.write_text(damaged)
        assert Contents(cache).hash(str(file)) == sha256_of(file)
