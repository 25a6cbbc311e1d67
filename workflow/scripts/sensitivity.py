"""What the settings of the probes decide for one encoder, and what single images do.

Every probe under the protocol that is looked at image by image, its first repeat alone.
"""

import json
from pathlib import Path
from typing import Any

from bakeoff.jobs import job
from bakeoff.schemas import SCHEMAS
from bakeoff.sensitivity import sensitivity_rows
from bakeoff.tables import read_table, write_table


def sensitivity(
    *,
    embeddings: Path,
    manifest: Path,
    folds: Path,
    output_sensitivity: Path,
    study: str,
    encoder: str,
    settings: dict[str, Any],
) -> None:
    """Write the table of one study and encoder."""
    tables = (
        read_table(embeddings, "embeddings"),
        read_table(manifest, "manifest"),
        read_table(folds, "folds"),
    )
    rows: dict[str, list[Any]] = {name: [] for name in SCHEMAS["sensitivity"].names}
    for method, probe in settings["probes"].items():
        made = sensitivity_rows(
            *tables,
            settings=probe,
            labels=settings["labels"],
            seed=settings["seed"],
            metric=settings["metric"],
            study=study,
            encoder=encoder,
            method=method,
            protocol=folds.stem,
        )
        for name, values in made.items():
            rows[name].extend(values)
    write_table(output_sensitivity, "sensitivity", rows)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        sensitivity(
            embeddings=Path(snakemake.input.embeddings),
            manifest=Path(snakemake.input.manifest),
            folds=Path(snakemake.input.folds),
            output_sensitivity=Path(snakemake.output.sensitivity),
            study=snakemake.wildcards.study,
            encoder=snakemake.wildcards.encoder,
            settings=json.loads(snakemake.params.settings),
        )
