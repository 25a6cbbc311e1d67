"""Every table of a study as CSV (all digits), Markdown and LaTeX (as many as are sure)."""

import json
from pathlib import Path
from typing import Any

from bakeoff.jobs import job
from bakeoff.paper_tables import study_sheets
from bakeoff.sheets import write_sheets
from bakeoff.tables import read_table, read_tables


def tables(
    *,
    manifest: Path,
    metrics: list[Path],
    baseline: Path,
    comparisons: Path,
    costs: Path,
    retrieval: Path,
    variance: Path,
    seeds: Path,
    folder: Path,
    settings: dict[str, Any],
) -> None:
    """Write the tables into `folder`, three files each."""
    sheets = study_sheets(
        manifest=read_table(manifest, "manifest"),
        metrics=read_tables(metrics, "metrics"),
        baseline=read_tables([baseline], "metrics"),
        comparisons=read_table(comparisons, "comparisons"),
        costs=read_table(costs, "costs"),
        retrieval=read_table(retrieval, "metrics"),
        variance=read_table(variance, "variance"),
        seeds=read_table(seeds, "seeds"),
        encoders=settings["encoders"],
        confidence=settings["confidence"],
        main_run=settings["main_run"],
    )
    write_sheets(folder, sheets.values())


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        tables(
            manifest=Path(snakemake.input.manifest),
            metrics=[Path(path) for path in snakemake.input.metrics],
            baseline=Path(snakemake.input.baseline),
            comparisons=Path(snakemake.input.comparisons),
            costs=Path(snakemake.input.costs),
            retrieval=Path(snakemake.input.retrieval),
            variance=Path(snakemake.input.variance),
            seeds=Path(snakemake.input.seeds),
            folder=Path(snakemake.output.results).parent,
            settings=json.loads(snakemake.params.settings),
        )
