"""Zero-shot predictions: each image gets the class whose prompts are most like it."""

import json
from pathlib import Path
from typing import Any

from bakeoff.jobs import job
from bakeoff.store import refuse_mixture
from bakeoff.tables import origin, read_table, write_table
from bakeoff.zeroshot import zero_shot


def zeroshot(
    *,
    embeddings: Path,
    texts: Path,
    manifest: Path,
    folds: Path,
    output_predictions: Path,
    settings: dict[str, Any],
    **names: str,
) -> None:
    """Write the zero-shot predictions of one study, protocol and encoder."""
    vectors, prompts = read_table(embeddings, "embeddings"), read_table(texts, "texts")
    trained = origin(prompts)
    refuse_mixture(embeddings=origin(vectors), texts=trained)
    columns, provenance = zero_shot(
        vectors,
        prompts,
        read_table(manifest, "manifest"),
        read_table(folds, "folds"),
        labels=settings["labels"],
        logit_scale=trained["logit_scale"],
        logit_bias=trained["logit_bias"],
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
        zeroshot(
            embeddings=Path(snakemake.input.embeddings),
            texts=Path(snakemake.input.texts),
            manifest=Path(snakemake.input.manifest),
            folds=Path(snakemake.input.folds),
            output_predictions=Path(snakemake.output.predictions),
            settings=json.loads(snakemake.params.settings),
            study=snakemake.wildcards.study,
            protocol=snakemake.wildcards.protocol,
            encoder=snakemake.wildcards.encoder,
        )
