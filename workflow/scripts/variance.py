"""Where each metric's variance comes from, and fine-tuned encoders over their seeds."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bakeoff.compare.seeds import seed_rows, values_by_seed
from bakeoff.jobs import job
from bakeoff.schemas import SCHEMAS
from bakeoff.sources import values_by_fold, values_by_prompt, variance_rows
from bakeoff.tables import read_table, read_tables, write_table


def variance(
    *,
    metrics: list[Path],
    embeddings: list[Path],
    texts: list[Path],
    manifest: Path,
    folds: Path,
    output_variance: Path,
    output_seeds: Path,
    study: str,
    settings: dict[str, Any],
) -> None:
    """Write both tables; a design that the study does not have leaves no rows."""
    values, names = read_tables(metrics, "metrics"), settings["metrics"]
    encoders, families = settings["encoders"], settings["families"]
    prompts = values_by_prompt(
        {p.stem: read_table(p, "embeddings") for p in embeddings if p.stem in encoders},
        {p.stem: read_table(p, "texts") for p in texts if p.stem in encoders},
        read_table(manifest, "manifest"),
        read_table(folds, "folds"),
        protocol=folds.stem,
        names=names,
        labels=settings["labels"],
    )
    seeds = values_by_seed(values, names, families)
    frozen = [encoder for encoder in encoders if encoder not in families]
    by_fold = values_by_fold(values, study, names, frozen)
    rows = variance_rows(study, folds=by_fold, prompts=prompts, seeds=seeds)
    _write(output_variance, "variance", rows, settings)
    _write(output_seeds, "seeds", seed_rows(study, seeds), settings)


def _write(
    path: Path, kind: str, rows: Sequence[dict[str, Any]], settings: dict[str, Any]
) -> None:
    columns = {name: [row[name] for row in rows] for name in SCHEMAS[kind].names}
    write_table(path, kind, columns, settings)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        variance(
            metrics=[Path(path) for path in snakemake.input.metrics],
            embeddings=[Path(path) for path in snakemake.input.embeddings],
            texts=[Path(path) for path in snakemake.input.texts],
            manifest=Path(snakemake.input.manifest),
            folds=Path(snakemake.input.folds),
            output_variance=Path(snakemake.output.variance),
            output_seeds=Path(snakemake.output.seeds),
            study=snakemake.wildcards.study,
            settings=json.loads(snakemake.params.settings),
        )
