"""The vectors of a study's images from one encoder.

Only images that this encoder (these weights, this preprocessing, resolution and
precision) has never seen are encoded; all others come from the store. A run that was
killed goes on at its last whole shard.
"""

import json
from pathlib import Path
from typing import Any

from bakeoff.extract import write_embeddings
from bakeoff.jobs import job
from bakeoff.tables import read_table


def embed_images(
    *,
    manifest: Path,
    encoder: Path,
    encoder_id: str,
    output_embeddings: Path,
    store: Path,
    settings: dict[str, Any],
    **how: Any,
) -> None:
    """Write the embeddings of one study and encoder."""
    write_embeddings(
        output_embeddings,
        read_table(manifest, "manifest", ["image_id", "path"]),
        Path(settings["images"]),
        encoder.parent,
        encoder_id=encoder_id,
        store=store,
        resolution=settings["resolution"],
        precision=settings["precision"],
        **how,
    )


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        embed_images(
            manifest=Path(snakemake.input.manifest),
            encoder=Path(snakemake.input.encoder),
            encoder_id=snakemake.wildcards.encoder,
            output_embeddings=Path(snakemake.output.embeddings),
            store=Path("results/store"),
            settings=json.loads(snakemake.params.settings),
            device=snakemake.resources.device,
            batch_size=snakemake.resources.batch_size,
            shard_size=snakemake.resources.shard_size,
            threads=snakemake.threads,
        )
