"""A part of a study's images encoded into the store, for the rule that embeds them all.

Which part an image falls to depends on its content alone, so several of these jobs can
share the work of `embed_images`, which then finds all vectors in the store. What this
writes beside them says how many images there were; nothing is made from it.
"""

import json
from pathlib import Path
from typing import Any

from bakeoff.extract import fill_store
from bakeoff.jobs import job
from bakeoff.tables import atomic_path, read_table


def embed_part(
    *,
    manifest: Path,
    encoder: Path,
    encoder_id: str,
    part: tuple[int, int],
    output_note: Path,
    store: Path,
    settings: dict[str, Any],
    **how: Any,
) -> None:
    """Encode the i-th of n parts, i from 0, and write a note of it."""
    note = fill_store(
        read_table(manifest, "manifest", ["image_id", "path"]),
        Path(settings["images"]),
        encoder.parent,
        encoder_id=encoder_id,
        part=part,
        store=store,
        resolution=settings["resolution"],
        precision=settings["precision"],
        **how,
    )
    with atomic_path(output_note) as temporary:
        temporary.write_text(json.dumps(note))


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        embed_part(
            manifest=Path(snakemake.input.manifest),
            encoder=Path(snakemake.input.encoder),
            encoder_id=snakemake.wildcards.encoder,
            part=(int(snakemake.wildcards.part) - 1, int(snakemake.wildcards.parts)),
            output_note=Path(snakemake.output.note),
            store=Path("results/store"),
            settings=json.loads(snakemake.params.settings),
            device=snakemake.resources.device,
            batch_size=snakemake.resources.batch_size,
            shard_size=snakemake.resources.shard_size,
            threads=snakemake.threads,
        )
