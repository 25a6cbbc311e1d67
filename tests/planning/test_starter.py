"""`bakeoff init`: what it finds in a folder, and that its output is a configuration."""

from pathlib import Path

import pytest
import yaml
from bakeoff.cli import main
from bakeoff.errors import BakeoffError
from planning.config import complete, load_schema
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
    with pytest.raises(BakeoffError, match="columns file, class"):
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


def test_the_start_has_a_control_and_chooses_its_penalties_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
