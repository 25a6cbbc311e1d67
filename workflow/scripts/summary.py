"""The one page of a study: verdict first, then everything that it rests on."""

import json
from pathlib import Path
from typing import Any

from bakeoff.jobs import job
from bakeoff.old_page import old_of
from bakeoff.report import Study, study_page
from bakeoff.summary import write_summary
from bakeoff.tables import read_table, read_tables


def summary(
    *,
    manifest: Path,
    quarantine: Path,
    predictions: list[Path],
    metrics: list[Path],
    baseline: Path,
    sensitivity: list[Path],
    comparisons: Path,
    costs: Path,
    retrieval: Path,
    variance: Path,
    seeds: Path,
    figures: list[Path],
    captions: list[Path],
    output_page: Path,
    study: str,
    settings: dict[str, Any],
    threads: int,
) -> None:
    """Write the page of one study."""
    folder = output_page.parent / "figures"
    images = Path(settings.pop("images"))
    found = Study(
        study,
        settings,
        read_table(manifest, "manifest"),
        read_table(quarantine, "quarantine"),
        [read_table(path, "predictions") for path in predictions],
        read_tables(metrics, "metrics"),
        read_tables([baseline], "metrics"),
        read_tables(sensitivity, "sensitivity"),
        read_table(comparisons, "comparisons"),
        read_table(costs, "costs"),
        read_table(retrieval, "metrics"),
        read_table(variance, "variance"),
        read_table(seeds, "seeds"),
        {
            path.relative_to(folder).with_suffix("").as_posix(): path.read_text("utf-8")
            for path in figures
        },
        {path.stem: path.read_text("utf-8") for path in captions},
    )
    write_summary(output_page, study_page(found, images, threads))
    old_of(output_page).unlink(missing_ok=True)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        summary(
            manifest=Path(snakemake.input.manifest),
            quarantine=Path(snakemake.input.quarantine),
            predictions=[Path(path) for path in snakemake.input.predictions],
            metrics=[Path(path) for path in snakemake.input.metrics],
            baseline=Path(snakemake.input.baseline),
            sensitivity=[Path(path) for path in snakemake.input.sensitivity],
            comparisons=Path(snakemake.input.comparisons),
            costs=Path(snakemake.input.costs),
            retrieval=Path(snakemake.input.retrieval),
            variance=Path(snakemake.input.variance),
            seeds=Path(snakemake.input.seeds),
            figures=[Path(path) for path in snakemake.input.figures],
            captions=[Path(path) for path in snakemake.input.captions],
            output_page=Path(snakemake.output.page),
            study=snakemake.wildcards.study,
            settings=json.loads(snakemake.params.settings),
            threads=snakemake.threads,
        )
