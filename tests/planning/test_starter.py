"""`bakeoff init`: what it finds in a folder, and that its output is a configuration."""

import os
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml
from bakeoff.cli import main
from bakeoff.errors import BakeoffError
from planning.config import complete, load_schema
from planning.offline import USUAL, hub_answers, shipped
from planning.starter import look, study_name

REPOSITORY = Path(__file__).parents[2]


def folder(top: Path, classes: dict[str, int]) -> Path:
    for label, count in classes.items():
        (top / label).mkdir(parents=True)
        for i in range(count):
            (top / label / f"{i}.jpg").touch()
    return top


def test_plain_class_folders(tmp_path: Path) -> None:
    found = look(folder(tmp_path / "pets", {"cat": 3, "dog": 12}))
    assert found.classes == {"cat": 3, "dog": 12}
    assert not found.divided
    assert not found.ordinal
    assert found.smallest == 3


def test_train_and_test_are_added_up(tmp_path: Path) -> None:
    folder(tmp_path / "train", {"cat": 3})
    folder(tmp_path / "test", {"cat": 1, "dog": 1})
    found = look(tmp_path)
    assert found.divided
    assert found.classes == {"cat": 4, "dog": 1}


def test_numbers_are_ordinal_two_of_them_are_not(tmp_path: Path) -> None:
    assert look(folder(tmp_path / "ages", {"1": 2, "2.5": 2, "10": 2})).ordinal
    assert not look(folder(tmp_path / "flags", {"0": 2, "1": 2})).ordinal


def test_a_file_of_labels(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(
        "\ufeffpath,label,split\na.jpg,x,train\nb.jpg,y,test\nc.jpg,x,test\n"
    )
    found = look(tmp_path, table)
    assert (found.classes, found.divided) == ({"x": 2, "y": 1}, True)
    table.write_text("file,class\na.jpg,x\n")
    with pytest.raises(BakeoffError, match=r"columns .* without .*path"):
        look(tmp_path, table)


def test_nothing_to_find_is_said_with_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(BakeoffError, match="no such folder"):
        look(tmp_path / "absent")
    with pytest.raises(BakeoffError, match="--labels-file"):
        look(tmp_path)


@pytest.mark.parametrize(
    "classes", [{"a cat": 12, 'say "x"': 3, "ünïcode: #1": 4}, {"1": 3, "2": 3, "3": 4}]
)
def test_what_is_written_is_a_valid_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, classes: dict[str, int]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder(Path("my pics"), classes)
    assert main(["init", "my pics"]) == 0
    config = yaml.safe_load(Path("my-pics.yaml").read_text(encoding="utf-8"))
    study = complete(config, load_schema(REPOSITORY / "config/schema.yaml"))["studies"]
    assert study["my-pics"]["images"] == "my pics"
    if prompts := study["my-pics"]["prompts"]:
        bank = yaml.safe_load(Path(prompts).read_text(encoding="utf-8"))
        assert set(bank["classes"]) == set(classes)
    else:
        assert study["my-pics"]["labels"] == "ordinal"


def test_nothing_is_overwritten_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder(Path("pics"), {"a": 3, "b": 3})
    Path("pics.yaml").write_text("mine")
    assert main(["init", "pics"]) == 1
    assert "already there" in capsys.readouterr().err
    assert Path("pics.yaml").read_text() == "mine"
    assert main(["init", "pics", "--force"]) == 0


def test_a_study_name_is_safe_in_a_path() -> None:
    assert study_name("../../My Fish (2024)") == "My-Fish-2024"
    assert study_name("///") == study_name("demo") == "study"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Whether the hub of weights answers, on a port of this machine."""

    def answers(yes: bool) -> None:
        monkeypatch.setattr("planning.offline.hub_answers", lambda: yes)

    return answers


def test_without_a_network_the_encoders_that_come_along_are_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, hub
) -> None:
    monkeypatch.chdir(tmp_path)
    folder(Path("pics"), {"a": 3, "b": 3})

    def encoders() -> list[str]:
        assert main(["init", "pics", "--force"]) == 0
        return yaml.safe_load(Path("pics.yaml").read_text())["encoders"]

    hub(True)
    assert encoders() == [*USUAL, "tiny-random"]
    assert "cannot be reached" not in capsys.readouterr().out
    hub(False)
    assert encoders() == [*shipped(), "tiny-random"]
    assert "tiny-clip, tiny-siglip" in capsys.readouterr().out
    for name in USUAL:
        Path("resources/weights", name).mkdir(parents=True)
        Path("resources/weights", name, "encoder.json").touch()
    assert encoders() == [*USUAL, "tiny-random"]


def test_a_hub_is_there_if_it_answers_anything(monkeypatch) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_error(403)

        def log_message(self, *arguments: object) -> None:
            pass

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever)
        thread.start()
        assert hub_answers()
        server.shutdown()
        thread.join()
    assert not hub_answers()
    monkeypatch.setenv("HF_ENDPOINT", "nonsense")
    assert not hub_answers()


def test_init_says_that_the_groups_of_a_table_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, hub
) -> None:
    hub(True)
    monkeypatch.chdir(tmp_path)
    Path("pics").mkdir()
    rows = [f"{label}{i}.png,{label},g{i}" for label in "ab" for i in range(3)]
    Path("labels.csv").write_text("\n".join(["path,label,group", *rows]))
    assert main(["init", "pics", "--labels-file", "labels.csv"]) == 0
    assert "The column group of labels.csv is used" in capsys.readouterr().out
    text = Path("pics.yaml").read_text()
    assert "group_pattern" not in text and "names groups" in text


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent.csv", None, "no such file"),
        ("latin.csv", "path,label\na,caf\xe9\n".encode("latin-1"), "not UTF-8"),
        ("junk.parquet", b"junk", "cannot be read"),
        ("empty.csv", b"", "no rows"),
        ("twice.csv", b"path,label,label\na,b,c\n", "stand twice: label"),
        ("folder.csv", "folder", "a folder"),
        ("folder.parquet", "folder", "cannot be read"),
    ],
)
def test_a_labels_file_that_cannot_be_read_is_one_line(
    tmp_path: Path, name: str, content: bytes | str | None, said: str, capsys
) -> None:
    file = tmp_path / name
    if content == "folder":
        file.mkdir()
    elif content is not None:
        file.write_bytes(content)
    assert main(["init", str(tmp_path), "--labels-file", str(file)]) == 1
    error = capsys.readouterr().err
    assert f"{file}: got " in error and said in error and error.count("\n") == 1


def test_names_of_classes_are_utf8_and_in_one_form(tmp_path: Path, capsys) -> None:
    found = look(folder(tmp_path / "bears", {"ba\u0308r": 2, "b\u00e4r": 1}))
    assert found.classes == {"b\u00e4r": 3}
    folder(tmp_path / "pics", {"a": 2, os.fsdecode(b"b\xe9r"): 2})
    assert main(["init", str(tmp_path / "pics")]) == 1
    error = capsys.readouterr().err
    assert r"'b\udce9r'" in error and error.count("\n") == 1


def test_the_start_has_a_control_and_chooses_its_penalties_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub
) -> None:
    hub(True)
    monkeypatch.chdir(tmp_path)
    folder(Path("pets"), {"cat": 12, "dog": 12})
    assert main(["init", "pets"]) == 0
    config = yaml.safe_load(Path("pets.yaml").read_text(encoding="utf-8"))
    config = complete(config, load_schema(REPOSITORY / "config/schema.yaml"))
    assert config["control"] in config["encoders"]
    entries = yaml.safe_load((REPOSITORY / "config/encoders.yaml").read_text("utf-8"))
    assert (REPOSITORY / entries[config["control"]]["folder"]).is_dir()
    probes = config["probes"].values()
    assert [(p["kind"], p.get("alpha", p.get("C"))) for p in probes] == [
        ("ridge", "nested"),
        ("svc", "nested"),
    ]
    assert all(probe["rescale"] and probe["normalise"] for probe in probes)
