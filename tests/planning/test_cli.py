"""The command line: answers that can be checked by hand, and refusals in one line."""

from pathlib import Path

import pytest
from bakeoff.cli import main

PUBLISHED = Path(__file__).parents[2] / "docs/examples/activities-published.csv"


def test_audit_finds_the_contradictions_of_the_published_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["audit", str(PUBLISHED)]) == 0
    told = capsys.readouterr().out
    assert "CONTRADICTION: stated accuracy 0.827, but the classes imply 0.8333" in told
    assert "unpaired z test: p = 0.0809" in told


def test_power_agrees_with_connors_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["power", "--disagreement", "0.2", "--difference", "0.02"]) == 0
    assert "need 3,923 images" in capsys.readouterr().out
    pilot = ["--only-first", "70", "--only-second", "30", "--images", "500"]
    assert main(["power", *pilot]) == 0
    assert "a difference of 5.6 points" in capsys.readouterr().out


def test_a_missing_argument_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["power", "--disagreement", "0.2"]) == 1
    assert "Give --images or --difference" in capsys.readouterr().err
    assert main(["audit", "no-such.csv"]) == 1
    assert "no-such.csv" in capsys.readouterr().err


def test_classes_that_are_numbers_may_be_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for digit in "0123":
        (tmp_path / "digits" / digit).mkdir(parents=True)
        for name in "ab":
            (tmp_path / "digits" / digit / f"{name}.png").touch()
    monkeypatch.chdir(tmp_path)
    assert main(["init", "digits"]) == 0
    assert "labels: ordinal" in Path("digits.yaml").read_text()
    assert not Path("digits-prompts.yaml").exists()
    assert "--labels nominal --force" in capsys.readouterr().out
    assert main(["init", "digits", "--labels", "nominal", "--force"]) == 0
    assert "labels: nominal" in Path("digits.yaml").read_text()
    assert Path("digits-prompts.yaml").is_file()
    assert "ordinal" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("--images 0 --disagreement 0.2", "--images 0"),
        ("--images 100 --disagreement nan", "--disagreement nan"),
        ("--images 100 --disagreement 0", "--disagreement 0.0"),
        ("--images 100 --disagreement 1.5", "--disagreement 1.5"),
        ("--difference nan --disagreement 0.1", "--difference nan"),
        ("--difference 0 --disagreement 0.1", "--difference 0.0"),
        ("--difference inf --comparisons none.parquet", "--difference inf"),
        ("--images 0 --only-first 3 --only-second 2", "--images 0"),
        ("--images 9 --only-first -3 --only-second 2", "--only-first -3"),
        ("--images 9 --only-first 5 --only-second 5", "--images 9"),
    ],
)
def test_power_names_numbers_that_cannot_be(
    words: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["power", *words.split()]) == 1
    said = capsys.readouterr()
    assert f"got {named};" in said.err and said.err.count("\n") == 1 and not said.out


def test_power_says_where_no_difference_can_be_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["power", "--images", "10", "--disagreement", "0.05"]) == 0
    assert "show no difference" in capsys.readouterr().out


def test_a_picture_to_search_by_that_cannot_be_read_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "junk.png").write_text("junk")
    where = ["--study", "s", "--encoder", "e"]
    for name, reason in {"none": "no such file", "junk.png": "not an image"}.items():
        assert main(["search", "--image", str(tmp_path / name), *where]) == 1
        said = capsys.readouterr().err
        assert f"{tmp_path / name}: got " in said and reason in said
        assert said.count("\n") == 1


def test_the_table_of_an_audit_has_each_column_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.csv").write_text("class,support,recall,recall\na,2,0.5,1.0\n")
    assert main(["audit", str(tmp_path / "t.csv")]) == 1
    assert "stand twice: recall" in capsys.readouterr().err
