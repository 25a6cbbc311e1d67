"""Every number of a finished study follows from its predictions, by another route."""

import runpy
import shutil
from pathlib import Path

import pandas as pd
import pytest
from support.workflow import Workflow

ROOT = Path(__file__).parents[2]
main = runpy.run_path(str(ROOT / "docs/examples/rederive.py"))["main"]

pytestmark = pytest.mark.workflow


def test_the_numbers_of_a_study_follow_from_its_predictions(
    finished: Workflow, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(finished.place / "results/colours") == 0
    told = capsys.readouterr().out
    assert int(told.split()[0]) > 150
    assert told.endswith("agree, 0 do not\n")


def test_a_number_that_does_not_follow_is_found(
    finished: Workflow, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = shutil.copytree(finished.place / "results/colours", tmp_path / "colours")
    table = study / "comparisons.parquet"
    rows = pd.read_parquet(table)
    wrong = (rows["test"] == "corrected_t") & (rows["metric"] == "accuracy")
    rows.loc[wrong & (rows["class"] == ""), "p"] += 0.001
    rows.to_parquet(table)
    assert main(study) == 1
    assert "from the predictions" in capsys.readouterr().out
