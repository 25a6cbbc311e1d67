"""What stops a command of make before Snakemake starts: one line, and what to do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from planning.before import main

HOSTILE = {
    "encoders: [a]\nseed: 1\nseed: 2\n": "keys that stand twice in one mapping: 'seed'",
    "title: [1\n": "a mistake (line 2",
    "- a\n": "a list",
    "": "an empty file",
    "x: " + "[" * 5000: "nested more than",
}


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 1
    text = capsys.readouterr().err
    assert text.count("\n") == 1, text
    return text


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:8])
@pytest.mark.parametrize("command", ["run", "status", "recover"])
def test_a_hostile_configuration_is_one_line(
    command: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine.yaml").write_text(text)
    assert HOSTILE[text] in said(capsys, command, "mine.yaml")


def test_a_missing_configuration_is_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "got no CONFIG" in said(capsys, "run")
    assert "absent.yaml: got no such file" in said(capsys, "run", "absent.yaml")
    Path("mine.json").write_text('{"seed": 1, "seed": 2}')
    assert "twice" in said(capsys, "run", "mine.json")
    assert main(["status"]) == main(["demo"]) == 0
    Path("mine.json").write_text('{"seed": 1}')
    assert main(["run", "mine.json"]) == 0


def test_a_lock_that_a_killed_run_left_names_make_recover(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path(".snakemake/locks").mkdir(parents=True)
    assert main(["demo"]) == 0
    Path(".snakemake/locks/0.output.lock").touch()
    Path("mine.yaml").write_text("seed: 1")
    assert "`make recover` ends" in said(capsys, "demo")
    assert "`make recover CONFIG=mine.yaml` ends" in said(capsys, "run", "mine.yaml")
    assert main(["recover", "mine.yaml"]) == main(["status"]) == 0


def test_a_run_that_is_alive_is_left_to_snakemake() -> None:
    Path(".snakemake/locks").mkdir(parents=True)
    Path(".snakemake/locks/0.output.lock").touch()
    Path("snakemake").write_text("print(flush=True); input()")
    command = [sys.executable, "snakemake"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=dict(os.environ), **pipes) as run:
        assert run.stdout.readline() == b"\n"
        assert main(["demo"]) == 0
        run.kill()
    assert main(["demo"]) == 1
