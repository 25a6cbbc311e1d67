"""The vector index of one study and encoder, for `bakeoff search`."""

import json
from pathlib import Path
from typing import Any

from bakeoff.indexing import build_index
from bakeoff.jobs import job
from bakeoff.tables import read_table


def index(
    *,
    manifest: Path,
    embeddings: Path,
    texts: list[Path],
    output_index: Path,
    settings: dict[str, Any],
    threads: int,
) -> None:
    """Write the index as a folder; `texts` holds one table, or none."""
    build_index(
        output_index,
        images=read_table(embeddings, "embeddings"),
        manifest=read_table(manifest, "manifest"),
        texts=read_table(texts[0], "texts") if texts else None,
        about={name: settings[name] for name in ("images", "weights", "resolution")},
        seed=settings["seed"],
        threads=threads,
    )


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        index(
            manifest=Path(snakemake.input.manifest),
            embeddings=Path(snakemake.input.embeddings),
            texts=[Path(path) for path in snakemake.input.texts],
            output_index=Path(snakemake.output.index),
            settings=json.loads(snakemake.params.settings),
            threads=snakemake.threads,
        )
