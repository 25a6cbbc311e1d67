"""The sheets of a study: every metric, test, class, cost and count, ready to be printed."""

import math
from collections.abc import Iterable, Sequence

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
    with_interval,
    word,
)
from bakeoff.compare.labels import TESTS
from bakeoff.figures.frames import encoders_in, frame, natural, setting_names
from bakeoff.figures.intervals import Estimate, overall
from bakeoff.figures.units import Unit, unit_of
from bakeoff.metrics.definitions import METRICS
from bakeoff.sheets import Cell, Column, Sheet
from bakeoff.tables import origin

Setting = tuple[str, str]  # method and protocol


def results_sheet(
    metrics: pa.Table,
    *,
    encoders: Sequence[str] | None = None,
    confidence: float = 0.95,
    first: Setting | None = None,
) -> Sheet:
    """Every overall metric of every encoder and setting, in the order of METRICS."""
    rows = frame(metrics)
    rows = rows[rows["class"] == ""]
    present = set(rows["metric"])
    names = [m for m in METRICS if m in present] + natural(present - set(METRICS))
    settings = setting_names(zip(rows["method"], rows["protocol"], strict=True), first)
    runs = dict(iter(rows.groupby(["method", "protocol", "encoder", "metric"])))
    known = encoders_in(rows, encoders)
    lines = [
        (
            word(encoder),
            word(setting),
            *_metric_cells(runs, (*key, encoder), names, confidence),
        )
        for key, setting in settings.items()
        for encoder in known
        if any((*key, encoder, name) in runs for name in names)
    ]
    columns = (
        Column("Encoder", ("encoder",), number=False),
        Column("Method", ("method",), number=False),
        *_metric_columns(names),
    )
    level = f"{100 * confidence:g} %"
    caption = f"Shares with Wilson's {level} interval; counts are images and repeats."
    return Sheet("results", "Every metric", caption, columns, lines)


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
        Column("P(better)", ("p_better",)),
        Column("P(equivalent)", ("p_equivalent",)),
        Column("P(worse)", ("p_worse",)),
        Column("Detectable", ("detectable",)),
        Column("n", ("n",)),
        Column("Role", ("primary",), number=False),
        Column("Test", ("test",), number=False),
        Column("Note", ("note",), number=False),
    ]
    caption = (
        "First minus second; points are percentage points. The verdict rests on the rows "
        "whose role is verdict; p-values are Holm-adjusted. Detectable: the difference "
        "that this design would find 8 times out of 10. n counts what the test counts: "
        "images, groups, runs over folds, or studies."
    )
    name, title = (
        ("classes_tests", "Tests by class") if per_class else ("tests", "Tests")
    )
    return Sheet(name, title, caption, tuple(columns), lines)


def classes_sheet(
    metrics: pa.Table,
    *,
    metric: str = "recall",
    encoders: Sequence[str] | None = None,
    confidence: float = 0.95,
    first: Setting | None = None,
) -> Sheet:
    """One metric class by class: a row per class and setting, a column per encoder."""
    every = frame(metrics)
    every = every[every["class"] != ""]
    rows = every[every["metric"] == metric]
    settings = setting_names(zip(rows["method"], rows["protocol"], strict=True), first)
    known = [e for e in encoders_in(rows, encoders) if e in set(rows["encoder"])]
    place = ["method", "protocol", "class"]
    images = every[every["metric"] == "support"].groupby(place)["value"].max()
    runs = dict(iter(rows.groupby([*place, "encoder"])))
    unit = unit_of(metric)
    lines = []
    for key, setting in settings.items():
        for label in natural(set(rows["class"])):
            n = float(images.get((*key, label), math.nan))
            cells = [
                _share_cell(_find(runs, (*key, label, e), confidence, images=n), unit)
                for e in known
            ]
            lines.append((word(label), word(setting), count(n), *cells))
    columns = (
        Column("Class", ("class",), number=False),
        Column("Method", ("method",), number=False),
        Column("n", ("n",)),
        *(Column(e, (e, f"{e}_ci_low", f"{e}_ci_high")) for e in known),
    )
    caption = (
        f"{unit.axis()} of each class with Wilson's {100 * confidence:g} % interval; n "
        "counts the images of one repetition."
    )
    return Sheet("classes", f"{unit.label} by class", caption, columns, lines)


def costs_sheet(costs: pa.Table) -> Sheet:
    """What each encoder costs: size, arithmetic, speed, memory."""
    columns = (
        Column("Encoder", ("encoder",), number=False),
        Column("Parameters (M)", ("parameters",)),
        Column("Of the image tower (M)", ("parameters_image",)),
        Column("GFLOPs per image", ("gflops",)),
        Column("Images per second", ("images_per_s",)),
        Column("Latency (ms)", ("latency_ms",)),
        Column("Peak memory (MB)", ("peak_memory_mb",)),
        Column("Dimension", ("dimension",)),
        Column("Weights (MB)", ("bytes",)),
        Column("Measured on", ("device",), number=False),
        Column("Precision", ("precision",), number=False),
    )
    scales = {"parameters": 1e-6, "parameters_image": 1e-6, "bytes": 1e-6}
    lines = [
        tuple(
            significant(row[c.raw[0]], scales.get(c.raw[0], 1.0))
            if c.number and c.raw[0] != "dimension"
            else word(row[c.raw[0]])
            for c in columns
        )
        for row in frame(costs).to_dict("records")
    ]
    caption = (
        "Measured in one run; latency is of one image, speed from files to vectors."
    )
    return Sheet("costs", "Costs", caption, columns, lines)


def retrieval_sheet(
    retrieval: pa.Table, *, encoders: Sequence[str] | None = None
) -> Sheet:
    """R@k and mAP of prompts finding images and images finding prompts."""
    rows = frame(retrieval)
    found = {
        (row["encoder"], row["metric"]): row["value"] for row in rows.to_dict("records")
    }
    counts = rows.dropna(subset=["denominator"])
    queries = {
        (row["encoder"], row["metric"]): row["denominator"]
        for row in counts.to_dict("records")
    }
    measures = [*(f"recall_{k}" for k in _KS), "map"]
    lines = []
    for encoder in (
        e for e in encoders_in(rows, encoders) if e in set(rows["encoder"])
    ):
        for way, words in _WAYS.items():
            values = [found[encoder, f"{way}_{m}"] for m in measures]
            cells = [Cell(fixed(100 * as_number(v), 1), (v,)) for v in values]
            asked = queries[encoder, f"{way}_recall_{_KS[0]}"]
            lines.append((word(encoder), Cell(words, (way,)), count(asked), *cells))
    columns = (
        Column("Encoder", ("encoder",), number=False),
        Column("Direction", ("direction",), number=False),
        Column("Queries", ("queries",)),
        *(Column(f"R@{k} (%)", (f"recall_{k}",)) for k in _KS),
        Column("mAP (%)", ("map",)),
    )
    caption = (
        "R@k: share of queries with an item of their own class among the k nearest; "
        "mAP: mean average precision. Test images only, where the study is divided."
    )
    return Sheet("retrieval", "Retrieval", caption, columns, lines)


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
            *(_value_cell(values[encoder, study], unit) for study in studies),
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


_KS = (1, 5, 10)
_WAYS = {"text_to_image": "prompt finds images", "image_to_text": "image finds prompts"}


def study_sheets(
    *,
    manifest: pa.Table,
    metrics: pa.Table,
    comparisons: pa.Table,
    costs: pa.Table,
    retrieval: pa.Table,
    variance: pa.Table,
    seeds: pa.Table,
    encoders: Sequence[str],
    confidence: float,
    main_run: tuple[str, str],
) -> dict[str, Sheet]:
    """All tables of a study by name; those that say nothing of it have no rows.

    `main_run` is the protocol and the method whose rows come first.
    """
    protocol, method = main_run
    first = (method, protocol)
    sheets = [
        results_sheet(metrics, encoders=encoders, confidence=confidence, first=first),
        comparisons_sheet(comparisons, first=first),
        classes_sheet(metrics, encoders=encoders, confidence=confidence, first=first),
        comparisons_sheet(comparisons, per_class=True, first=first),
        costs_sheet(costs),
        retrieval_sheet(retrieval, encoders=encoders),
        variance_sheet(variance, first=first),
        seeds_sheet(seeds, first=first),
        data_sheet(manifest),
    ]
    return {sheet.name: sheet for sheet in sheets}


def data_sheet(manifest: pa.Table) -> Sheet:
    """Number of images of every class, by split where the data are divided."""
    rows = frame(manifest.select(["label", "split"]))
    counts = rows.groupby(["label", "split"]).size().unstack(fill_value=0)
    splits = [split for split in ("train", "test", "") if split in counts.columns]
    headings = [f"Images, {split}" if split else "Images" for split in splits]
    lines = [
        (word(label), *(count(counts.loc[label, split]) for split in splits))
        for label in natural(counts.index)
    ]
    columns = (
        Column("Class", ("class",), number=False),
        *(
            Column(h, (f"images_{s}" if s else "images",))
            for h, s in zip(headings, splits, strict=True)
        ),
    )
    return Sheet("data", "Images by class", "", columns, lines)


def _metric_columns(names: Sequence[str]) -> Iterable[Column]:
    for name in names:
        if _is_share(name):
            yield Column(
                unit_of(name).axis(), (name, f"{name}_ci_low", f"{name}_ci_high")
            )
            yield Column(
                f"{unit_of(name).label}, counts",
                (f"{name}_numerator", f"{name}_denominator"),
            )
        else:
            yield Column(unit_of(name).axis(), (name,))


def _metric_cells(
    runs: dict, run: tuple, names: Sequence[str], confidence: float
) -> Iterable[Cell]:
    for name in names:
        found = _find(runs, (*run, name), confidence)
        if _is_share(name):
            yield _share_cell(found, unit_of(name))
            yield _counts_cell(found)
        else:
            yield _value_cell(found.value if found else math.nan, unit_of(name))


def _is_share(name: str) -> bool:
    return name in METRICS and METRICS[name].share


def _find(
    runs: dict, key: tuple, confidence: float = 0.95, *, images: float | None = None
) -> Estimate | None:
    return overall(runs[key], confidence, images=images) if key in runs else None


def _share_cell(found: Estimate | None, unit: Unit) -> Cell:
    if found is None:
        return Cell("–", (None, None, None))
    numbers = (found.value, found.low, found.high)
    return Cell(with_interval(*(x * unit.scale for x in numbers)), numbers)


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


def _percent(share: float) -> Cell:
    share = as_number(share)
    return Cell(fixed(100 * share, 0), (share,))


def _mean(row: dict, side: str, unit: Unit) -> Cell:
    mean, sd, seeds = (row[f"{name}_{side}"] for name in ("mean", "sd", "seeds"))
    places = decimals_for(sd * unit.scale)
    printed = f"{mean * unit.scale:.{places}f} ± {sd * unit.scale:.{places}f} ({seeds})"
    return Cell(printed.replace("-", "−"), (mean, sd, seeds))


def _value_cell(value: float, unit: Unit) -> Cell:
    return Cell(fixed(value * unit.scale, 1 if unit.scale > 1 else 3), (value,))


def _counts_cell(found: Estimate | None) -> Cell:
    if found is None or not math.isfinite(found.bottom):
        return Cell("–", (None, None))
    return Cell(f"{found.top:g}/{found.bottom:g}", (found.top, found.bottom))


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
