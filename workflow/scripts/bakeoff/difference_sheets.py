"""The sheets of differences, ready to be printed: tests, and what moves a metric besides."""

import math

import pyarrow as pa
import pyarrow.compute as pc

from bakeoff.cells import (
    as_number,
    chance,
    count,
    decimals_for,
    fixed,
    p_value,
    significant,
    value_cell,
    with_interval,
    word,
)
from bakeoff.compare.labels import TESTS
from bakeoff.figures.frames import frame, setting_names
from bakeoff.figures.units import Unit, unit_of
from bakeoff.sheets import Cell, Column, Sheet
from bakeoff.tables import origin

Setting = tuple[str, str]  # method and protocol


def comparisons_sheet(
    comparisons: pa.Table, *, per_class: bool = False, first: Setting | None = None
) -> Sheet:
    """Every test of every pair; `per_class` chooses the tests class by class.

    Rows that verdicts rest on come before all others, and of these those of the setting
    `first`.
    """
    whole = pc.field("class").cast(pa.string()) == ""
    chosen = comparisons.filter(~whole if per_class else whole)
    rows, settings = _by_setting(chosen, first)
    ordered = sorted(rows, key=lambda row: not row["primary"])
    lines = [
        _comparison(row, settings[row["method"], row["protocol"]], per_class)
        for row in ordered
    ]
    columns = [
        Column("First", ("a",), number=False),
        Column("Second", ("b",), number=False),
        Column("Method", ("method",), number=False),
        *([Column("Class", ("class",), number=False)] if per_class else []),
        Column("Metric", ("metric",), number=False),
        Column("Difference [interval]", ("estimate", "ci_low", "ci_high")),
        Column("p, adjusted", ("p_adjusted",)),
        Column("Verdict", ("verdict",), number=False),
        Column("Better", ("p_better",)),
        Column("Equivalent", ("p_equivalent",)),
        Column("Worse", ("p_worse",)),
        Column("Detectable", ("detectable",)),
        Column("n", ("n",)),
        Column("Role", ("primary",), number=False),
        Column("Test", ("test",), number=False),
        Column("Note", ("note",), number=False),
    ]
    caption = (
        "First minus second; points are percentage points. The verdict rests on the rows "
        "whose role is verdict; p-values are Holm-adjusted. Better, equivalent, worse: "
        "chances of a t distribution or, on a fixed test set (McNemar, sign-flip), shares "
        "of bootstrap samples. Detectable: the difference that this design would find 8 "
        "times out of 10, before adjustment for the number of comparisons. n counts what "
        "the test counts: images, groups, runs over folds, or studies."
    )
    name, title = (
        ("classes_tests", "Tests by class") if per_class else ("tests", "Tests")
    )
    return Sheet(name, title, caption, tuple(columns), lines)


def variance_sheet(variance: pa.Table, *, first: Setting | None = None) -> Sheet:
    """How far encoders, folds, prompts and seeds move each metric."""
    rows, settings = _by_setting(variance, first)
    lines: list[tuple[Cell, ...]] = []
    for row in rows:
        unit = unit_of(row["metric"])
        lines.append(
            (
                word(settings[row["method"], row["protocol"]]),
                Cell(unit.label, (row["metric"],)),
                word(row["design"]),
                word(row["source"]),
                count(row["levels"]),
                significant(row["sd"], unit.scale),
                _percent(row["share"]),
            )
        )
    columns = (
        Column("Method", ("method",), number=False),
        Column("Metric", ("metric",), number=False),
        Column("Varied", ("design",), number=False),
        Column("Source", ("source",), number=False),
        Column("Levels", ("levels",)),
        Column("SD", ("sd",)),
        Column("Share of variance (%)", ("share",)),
    )
    caption = (
        "Standard deviation between encoders, folds, prompts (one at a time) and seeds of "
        "fine-tuning, in the metric's own unit (shares: points). The residual is what an "
        "encoder gains on one fold or prompt alone. The control is left out."
    )
    title = "Where the variance comes from"
    return Sheet("variance", title, caption, columns, lines)


def seeds_sheet(seeds: pa.Table, *, first: Setting | None = None) -> Sheet:
    """Every pair of fine-tuned encoders over the seeds of both."""
    rows, settings = _by_setting(seeds, first)
    lines: list[tuple[Cell, ...]] = []
    for row in rows:
        unit = unit_of(row["metric"])
        means = [_mean(row, side, unit) for side in "ab"]
        lines.append(
            (
                word(row["a"]),
                word(row["b"]),
                word(settings[row["method"], row["protocol"]]),
                Cell(unit.label, (row["metric"],)),
                *means,
                chance(row["p_better"]),
            )
        )
    columns = (
        Column("First", ("a",), number=False),
        Column("Second", ("b",), number=False),
        Column("Method", ("method",), number=False),
        Column("Metric", ("metric",), number=False),
        Column("First, mean ± SD (seeds)", ("mean_a", "sd_a", "seeds_a")),
        Column("Second, mean ± SD (seeds)", ("mean_b", "sd_b", "seeds_b")),
        Column("P(better)", ("p_better",)),
    )
    caption = (
        "Fine-tuned encoders trained anew with other seeds. P(better): the chance that a "
        "run of the first is better than a run of the second."
    )
    return Sheet("seeds", "Fine-tuning over its seeds", caption, columns, lines)


def ranks_sheet(ranks: pa.Table) -> Sheet:
    """The mean rank of every encoder over several studies, and its value on each."""
    metric = origin(ranks)["metric"]
    unit, rows = unit_of(metric), frame(ranks)
    means = rows.groupby("encoder", sort=False)["rank"].mean()
    values = rows.set_index(["encoder", "study"])["value"]
    studies = list(rows["study"].unique())
    lines = [
        (
            word(encoder),
            Cell(f"{mean:.2f}", (mean,)),
            *(value_cell(values[encoder, study], unit) for study in studies),
        )
        for encoder, mean in means.sort_values(kind="stable").items()
    ]
    columns = (
        Column("Encoder", ("encoder",), number=False),
        Column("Mean rank", ("mean_rank",)),
        *(Column(study, (study,)) for study in studies),
    )
    caption = (
        f"{unit.axis()} on each data set, and the mean rank over them (1 is best)."
    )
    return Sheet("ranks", "Ranks over data sets", caption, columns, lines)


def _by_setting(
    table: pa.Table, first: Setting | None
) -> tuple[list[dict], dict[Setting, str]]:
    """Rows in the order of their settings, `first` before all, and the settings' names."""
    rows = frame(table)
    settings = setting_names(zip(rows["method"], rows["protocol"], strict=True), first)
    place = {setting: i for i, setting in enumerate(settings)}
    ordered = sorted(
        rows.to_dict("records"), key=lambda row: place[row["method"], row["protocol"]]
    )
    return ordered, settings


def _comparison(row: dict, setting: str, per_class: bool) -> tuple[Cell, ...]:
    unit = unit_of(row["metric"])
    numbers = tuple(as_number(row[name]) for name in ("estimate", "ci_low", "ci_high"))
    text = with_interval(*(x * unit.scale for x in numbers), sign=True)
    if unit.difference and math.isfinite(numbers[0]):
        text += f" {unit.difference}"
    role = "verdict" if row["primary"] else "for comparison"
    return (
        Cell(row["a"] or "all encoders", (row["a"],)),
        word(row["b"]),
        word(setting),
        *([word(row["class"])] if per_class else []),
        Cell(unit.label, (row["metric"],)),
        Cell(text, numbers),
        Cell(p_value(row["p_adjusted"]), (as_number(row["p_adjusted"]),)),
        word(row["verdict"]),
        *(chance(row[f"p_{name}"]) for name in ("better", "equivalent", "worse")),
        significant(row["detectable"], unit.scale),
        count(row["n"]),
        Cell(role, (str(bool(row["primary"])).lower(),)),
        Cell(TESTS.get(row["test"], row["test"]), (row["test"],)),
        word(row["note"] if isinstance(row["note"], str) else ""),
    )


def _percent(share: float) -> Cell:
    share = as_number(share)
    return Cell(fixed(100 * share, 0), (share,))


def _mean(row: dict, side: str, unit: Unit) -> Cell:
    mean, sd, seeds = (row[f"{name}_{side}"] for name in ("mean", "sd", "seeds"))
    places = decimals_for(sd * unit.scale)
    printed = f"{mean * unit.scale:.{places}f} ± {sd * unit.scale:.{places}f} ({seeds})"
    return Cell(printed.replace("-", "−"), (mean, sd, seeds))
