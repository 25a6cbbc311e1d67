"""Reasons of a dry run in words: reasons as Snakemake prints them."""

import pytest
from planning.current import NO_RECORD
from planning.status import FOLLOWS, cause, status

CHANGED = "Params have changed since last execution: "


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (
            f"{CHANGED}settings: probe.alpha was 6.0, is 7.0",
            "settings: probe.alpha was 6.0, is 7.0",
        ),
        (
            f"Input files updated by another job: a.parquet; {CHANGED}"
            "code: bakeoff/tables.py; inputs: a.parquet changed",
            "code: bakeoff/tables.py",
        ),
        (
            f"Input files updated by another job: a; {CHANGED}inputs: a changed",
            FOLLOWS,
        ),
        (f"{CHANGED}inputs: prompts.yaml changed", "inputs: prompts.yaml changed"),
        (f"{CHANGED}{NO_RECORD}", NO_RECORD),
        ("Missing output files: results/a.parquet", "not made yet"),
        (
            "Missing output files: b; Input files updated by another job: a",
            "not made yet",
        ),
        ("Incomplete output files: results/a.parquet", "interrupted the last time"),
        ("Input files updated by another job: a", FOLLOWS),
    ],
)
def test_a_reason_for_people(reason: str, words: str) -> None:
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
