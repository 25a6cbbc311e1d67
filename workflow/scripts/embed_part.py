"""The vectors of one part of a study's images, by one of several jobs.

Which part an image belongs to depends on its id alone. All of them go to the store, from
which `embed_images` takes the whole.
"""

import json
from pathlib import Path
from typing import Any

from bakeoff.logs import logged
from embed_images import embed_images


def embed_part(*, part: int, parts: int, **how: Any) -> None:
    """Write the embeddings of the images that fall to this part."""
    embed_images(part=(part, parts), **how)


if "snakemake" in globals():
    with logged(snakemake.log[0]):
        embed_part(
            part=int(snakemake.wildcards.part),
            parts=int(snakemake.wildcards.parts),
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
