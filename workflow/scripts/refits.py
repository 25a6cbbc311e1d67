"""Metrics of one probe on one encoder's vectors without each image in turn.

An empty table where the probe has no exact closed form: comparisons then take a bound.
"""

import json
from pathlib import Path
from typing import Any

from bakeoff.logs import logged
from bakeoff.probes.refit_table import refit_rows
from bakeoff.tables import read_table, write_table


def refits(
    *,
    embeddings: Path,
    manifest: Path,
    folds: Path,
    output_refits: Path,
    settings: dict[str, Any],
    **names: str,
) -> None:
    """Write the refits of one study, protocol, probe and encoder."""
    columns = refit_rows(
        read_table(embeddings, "embeddings"),
        read_table(manifest, "manifest"),
        read_table(folds, "folds"),
        settings=settings["probe"],
        labels=settings["labels"],
        metrics=settings["metrics"],
        **names,
    )
    write_table(output_refits, "refits", columns)


if "snakemake" in globals():
    with logged(snakemake.log[0]):
        refits(
            embeddings=Path(snakemake.input.embeddings),
            manifest=Path(snakemake.input.manifest),
            folds=Path(snakemake.input.folds),
            output_refits=Path(snakemake.output.refits),
            settings=json.loads(snakemake.params.settings),
            protocol=snakemake.wildcards.protocol,
            method=snakemake.wildcards.probe,
            encoder=snakemake.wildcards.encoder,
        )
