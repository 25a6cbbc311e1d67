"""Sheets: digits by uncertainty, nothing lost in the CSV, every format escaped."""

import csv
import io
import math

import pyarrow as pa
import pytest
from bakeoff import cells, sheets
from bakeoff import difference_sheets as differences
from bakeoff import paper_tables as tables
from bakeoff.sheets import Cell, Column, Sheet
from statsmodels.stats.proportion import proportion_confint


@pytest.mark.parametrize(
    ("uncertainty", "decimals"),
    [(12.0, 0), (4.8, 1), (1.0, 1), (0.99, 2), (0.037, 3), (0, 2), (math.nan, 2)],
)
def test_two_digits_of_the_uncertainty(uncertainty, decimals):
    assert cells.decimals_for(uncertainty) == decimals


def test_interval_decides_the_digits():
    assert cells.with_interval(75.5, 70.3309, 80.0243) == "75.5 [70.3, 80.0]"
    assert cells.with_interval(0.8412, 0.802, 0.881) == "0.841 [0.802, 0.881]"
    assert cells.with_interval(-2.26, -4.0, 0.5, sign=True) == "−2.3 [−4.0, 0.5]"
    assert cells.with_interval(math.nan, 0, 1) == "–"


def test_counts_let_the_reader_compute_the_share(activities):
    sheet = tables.results_sheet(activities.metrics)
    rows = list(csv.DictReader(io.StringIO(sheets.to_csv(sheet))))
    assert len(rows) == 6
    for row in rows:
        share = float(row["accuracy_numerator"]) / float(row["accuracy_denominator"])
        assert float(row["accuracy"]) == pytest.approx(share, rel=1e-12)
        low, high = float(row["accuracy_ci_low"]), float(row["accuracy_ci_high"])
        assert low < share < high


def test_rows_of_the_main_run_come_first(activities):
    settings = dict.fromkeys(
        zip(
            activities.metrics.column("method").to_pylist(),
            activities.metrics.column("protocol").to_pylist(),
            strict=True,
        )
    )
    assert len(settings) > 1
    for first in settings:
        for sheet in (
            tables.results_sheet(activities.metrics, first=first),
            tables.classes_sheet(activities.metrics, first=first),
            differences.comparisons_sheet(activities.comparisons, first=first),
        ):
            place = [c.heading for c in sheet.columns].index("Method")
            assert sheet.rows[0][place].text == first[0], sheet.name


def test_tests_sheet_begins_with_what_the_verdict_rests_on(activities):
    sheet = differences.comparisons_sheet(activities.comparisons)
    place = [c.heading for c in sheet.columns].index("Role")
    roles = [row[place].text for row in sheet.rows]
    assert roles == ["verdict"] * 6 + ["for comparison"] * 6


def test_per_class_sheets(activities):
    tests = differences.comparisons_sheet(activities.comparisons, per_class=True)
    assert len(tests.rows) == 2 * 3 * 15
    classes = tables.classes_sheet(activities.metrics)
    assert len(classes.rows) == 2 * 15
    assert {row[2].text for row in classes.rows} == {"20"}


def test_data_and_costs(activities):
    data = tables.data_sheet(activities.manifest)
    assert [cell.text for cell in data.rows[0]] == ["calling", "20"]
    costs = tables.costs_sheet(activities.costs)
    parameters = activities.costs.column("parameters")[0].as_py()
    assert costs.rows[0][1].raw == (parameters,)
    assert float(costs.rows[0][1].text) == pytest.approx(parameters / 1e6, rel=5e-3)


HOSTILE = r"a|b_c & 5% <i> \x {y} #1 ^~"


def hostile_sheet():
    columns = (Column("Name", ("name",), number=False), Column("x", ("x",)))
    return Sheet(
        "s", "T", "", columns, [(Cell(HOSTILE, (HOSTILE,)), Cell("1", (1.0,)))]
    )


def test_latex_escapes_everything():
    line = sheets.to_latex(hostile_sheet()).splitlines()[8]
    assert line.strip() == (
        r"a|b\_c \& 5\% \textless{}i\textgreater{} \textbackslash{}x \{y\} \#1 "
        r"\textasciicircum{}\textasciitilde{} & 1 \\"
    )


def test_markdown_keeps_its_columns():
    line = sheets.to_markdown(hostile_sheet()).splitlines()[2]
    assert line.count("|") - line.count(r"\|") == 3


def test_csv_is_read_back():
    row = list(csv.reader(io.StringIO(sheets.to_csv(hostile_sheet()))))[1]
    assert row == [HOSTILE, "1.0"]


def test_class_interval_counts_images_not_predictions(activities):
    sheet = tables.classes_sheet(activities.metrics)
    row = next(r for r in sheet.rows if r[0].text == "calling" and r[1].text == "ridge")
    recall, low, high = row[3].raw  # of 20 images, each predicted in two repeats
    assert (low, high) == pytest.approx(
        proportion_confint(recall * 20, 20, 0.05, "wilson")
    )


def table(**columns):
    n = len(next(iter(columns.values())))
    given = {c: v if isinstance(v, list) else [v] * n for c, v in columns.items()}
    return pa.table(given | {"study": ["s"] * n, "protocol": ["cv"] * n})


def test_components_of_variance_in_points_and_percent():
    rows = table(
        design=["encoders x folds"] * 2, method=["knn", "ridge"],
        metric=["accuracy", "rmse"], source=["encoder", "residual"], levels=[3, 30],
        sd=[0.0123, 0.25], share=[0.6, None],
    )  # fmt: skip
    sheet = differences.variance_sheet(rows, first=("ridge", "cv"))
    assert [[cell.text for cell in row] for row in sheet.rows] == [
        ["ridge", "RMSE", "encoders x folds", "residual", "30", "0.250", "–"],
        ["knn", "Accuracy", "encoders x folds", "encoder", "3", "1.23", "60"],
    ]
    assert sheet.rows[1][5].raw == (0.0123,)


def test_seeds_as_means_with_their_deviation():
    rows = table(
        a=["x+har"], b=["y+har"], method="zeroshot", metric="accuracy",
        seeds_a=3, seeds_b=2, mean_a=0.8123, sd_a=0.0123, mean_b=0.79, sd_b=0.002,
        p_better=0.999,
    )  # fmt: skip
    (row,) = differences.seeds_sheet(rows).rows
    assert [cell.text for cell in row] == [
        *("x+har", "y+har", "zeroshot", "Accuracy"),
        *("81.2 ± 1.2 (3)", "79.00 ± 0.20 (2)", ">0.99"),
    ]
    assert row[4].raw == (0.8123, 0.0123, 3)
    assert differences.seeds_sheet(rows.slice(0, 0)).rows == []


@pytest.mark.parametrize(
    "text", ["=1+1", "+x", "-rf", "@SUM(A1)", "\t=1", "\r=1", "--1"]
)
def test_a_spreadsheet_takes_no_text_for_a_formula(text):
    sheet = Sheet("t", "T", "", (Column("A", (text,)),), [(Cell("x", (text,)),)])
    assert sheets.to_csv(sheet) == f"'{text}\n'{text}\n"


def test_negative_numbers_remain_numbers():
    values = (-2.5, -3, "-3", "-0.5", "+1", -math.inf, "a-b", "")
    columns = (Column("A", tuple("abcdefgh")),)
    sheet = Sheet("t", "T", "", columns, [(Cell("x", values),)])
    _, row = csv.reader(io.StringIO(sheets.to_csv(sheet)))
    assert row == ["-2.5", "-3", "-3", "-0.5", "+1", "", "a-b", ""]


@pytest.mark.parametrize(
    ("text", "latex"),
    [("[3cm]", "{[}3cm]"), ("*", "{*}"), ("75.5 [70.3, 80.0]", "75.5 [70.3, 80.0]")],
)
def test_latex_takes_no_label_for_an_argument(text, latex):
    """The end of a row would read [3cm] as the space after it, and swallow a star."""
    columns = (Column(text, ("a",)), Column(text, ("b",)))
    cells_ = (Cell(text, (1,)), Cell(text, (2,)))
    lines = sheets.to_latex(Sheet("t", "T", "", columns, [cells_])).splitlines()
    assert lines.count(f"    {latex} & {latex} \\\\") == 2
