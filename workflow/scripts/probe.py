"""Predictions of one probe on one encoder's vectors, every fold of a protocol.

Everything that is fitted is fitted on the training images of the fold alone.
"""

import json
from pathlib import Path
from typing import Any

from bakeoff.jobs import job
from bakeoff.probes.run import run_probe
from bakeoff.tables import read_table, write_table


def probe(
    *,
    embeddings: Path,
    manifest: Path,
    folds: Path,
    output_predictions: Path,
    settings: dict[str, Any],
    **names: str,
) -> None:
    """Write the predictions of one study, protocol, probe and encoder."""
    columns, provenance = run_probe(
        read_table(embeddings, "embeddings"),
        read_table(manifest, "manifest"),
        read_table(folds, "folds"),
        settings=settings["probe"],
        labels=settings["labels"],
        seed=settings["seed"],
        **names,
    )
    write_table(output_predictions, "predictions", columns, provenance)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        probe(
            embeddings=Path(snakemake.input.embeddings),
            manifest=Path(snakemake.input.manifest),
            folds=Path(snakemake.input.folds),
            output_predictions=Path(snakemake.output.predictions),
            settings=json.loads(snakemake.params.settings),
            study=snakemake.wildcards.study,
            protocol=snakemake.wildcards.protocol,
            method=snakemake.wildcards.probe,
            encoder=snakemake.wildcards.encoder,
        )
