"""The sheets of a study, ready to be printed: every metric, class, cost and count."""

import math
from collections.abc import Iterable, Sequence

import pyarrow as pa

from bakeoff.baseline import NAME
from bakeoff.cells import (
    as_number,
    count,
    fixed,
    significant,
    value_cell,
    with_interval,
    word,
)
from bakeoff.difference_sheets import (
    Setting,
    comparisons_sheet,
    seeds_sheet,
    variance_sheet,
)
from bakeoff.errors import listed
from bakeoff.figures.frames import encoders_in, frame, natural, setting_names
from bakeoff.figures.intervals import Estimate, overall
from bakeoff.figures.units import Unit, unit_of
from bakeoff.metrics.definitions import METRICS
from bakeoff.sheets import Cell, Column, Sheet


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
        Column("Spread of rounds (%)", ("spread",)),
        Column("Latency (ms)", ("latency_ms",)),
        Column("Peak memory (MB)", ("peak_memory_mb",)),
        Column("Dimension", ("dimension",)),
        Column("Weights (MB)", ("bytes",)),
        Column("Measured on", ("device",), number=False),
        Column("Precision", ("precision",), number=False),
    )
    scales = {"parameters": 1e-6, "parameters_image": 1e-6, "bytes": 1e-6}
    scales |= {"spread": 100}
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
        "Measured in one run; latency is of one image, speed from files to vectors, the "
        "best of several rounds."
    )
    words = " ".join([caption, *busy_machine(costs)])
    return Sheet("costs", "Costs", words, columns, lines)


def busy_machine(costs: pa.Table) -> list[str]:
    """A sentence where rounds of one measurement differ too much to be trusted."""
    spread = frame(costs).set_index("encoder")["spread"]
    noisy = spread[spread > NOISY]
    if noisy.empty:
        return []
    return [
        f"The machine was busy while costs were measured: rounds of {listed(noisy.index)} "
        f"differed by up to {100 * noisy.max():.0f} %, so rates and latencies may be far "
        "too slow. Delete costs.parquet and run again on a quiet machine."
    ]


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


# A spread of rounds above this is other work on the machine: quiet ones stay below a tenth.
NOISY = 0.25
_KS = (1, 5, 10)
_WAYS = {"text_to_image": "prompt finds images", "image_to_text": "image finds prompts"}


def study_sheets(
    *,
    manifest: pa.Table,
    metrics: pa.Table,
    baseline: pa.Table,
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

    `main_run` is the protocol and the method whose rows come first; `baseline` is the
    table of metrics of the commonest class, which the first table shows as well.
    """
    protocol, method = main_run
    first = (method, protocol)
    sheets = [
        results_sheet(
            pa.concat_tables([metrics, baseline]).unify_dictionaries(),
            encoders=[*encoders, NAME],
            confidence=confidence,
            first=first,
        ),
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
            yield value_cell(found.value if found else math.nan, unit_of(name))


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


def _counts_cell(found: Estimate | None) -> Cell:
    if found is None or not math.isfinite(found.bottom):
        return Cell("–", (None, None))
    return Cell(f"{found.top:g}/{found.bottom:g}", (found.top, found.bottom))
