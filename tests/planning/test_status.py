"""Reasons of a dry run in words: reasons as Snakemake prints them."""

import json

import pytest
from planning.status import FOLLOWS, cause, status

CHANGED = (
    "Input files updated by another job: a.parquet; Params have changed since last "
    "execution: Union of exclusive params before and now across all output: before: "
    "{} now: {} "
)


def params(before: str, now: str) -> str:
    return CHANGED.format(before, now)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (
            params(
                """'{"probe": {"alpha": 6.0, "kind": "ridge"}, "seed": 1}'""",
                """'{"probe": {"alpha": 7.0, "kind": "ridge"}, "seed": 1}'""",
            ),
            "settings changed: probe.alpha",
        ),
        (
            params(
                "'probe.py@a0c81cf2 bakeoff/tables.py@0856b6ec'",
                "'probe.py@a0c81cf2 bakeoff/tables.py@1856b6ec bakeoff/new.py@99999999'",
            ),
            "code changed: bakeoff/new.py, bakeoff/tables.py",
        ),
        (
            params(
                """'{"a": 1}', 'x.py@00000000'""", """'x.py@00000001', '{"a": 2}'"""
            ),
            "code changed: x.py; settings changed: a",
        ),
        (
            params(repr(json.dumps({"p": r"\d'"})), repr(json.dumps({"p": '"'}))),
            "settings changed: p",
        ),
        (params("'38 files 1b2c'", "'39 files 3d4e'"), "images changed"),
        ("Missing output files: results/a.parquet", "not made yet"),
        (
            "Missing output files: b; Input files updated by another job: a",
            "not made yet",
        ),
        ("Input files updated by another job: a", FOLLOWS),
        ("Updated input files: prompts.yaml", "changed: prompts.yaml"),
        (
            "Set of input files has changed since last execution",
            "other encoders, protocols or probes than the last time",
        ),
    ],
)
def test_a_reason_in_words(reason: str, words: str) -> None:
    assert cause(reason) == words


def test_jobs_with_one_cause_are_counted_together() -> None:
    text = (
        "rule a:\n    reason: Missing output files: x\n"
        "Job 3: Drawing\nReason: Missing output files: y\n"
        "rule c:\n    reason: Input files updated by another job: x\n"
    )
    assert status(text).splitlines() == [
        "3 jobs to do:",
        "     2  not made yet",
        f"     1  {FOLLOWS}",
    ]


def test_nothing_to_do_is_said() -> None:
    assert status("Building DAG of jobs...\nNothing to be done\n").startswith("Nothing")
