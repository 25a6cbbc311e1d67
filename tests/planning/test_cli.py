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
