"""The embeddings of one encoder in two dimensions."""

import json
from pathlib import Path
from typing import Any

from bakeoff.figures import embedding_map
from bakeoff.figures.save import save_figure
from bakeoff.jobs import job
from bakeoff.tables import read_table


def figure_embedding_map(
    *,
    manifest: Path,
    embeddings: Path,
    encoder: str,
    outputs: list[Path],
    settings: dict[str, Any],
) -> None:
    """Write the figure as SVG and PNG."""
    data = embedding_map.data_from(
        embeddings={encoder: read_table(embeddings, "embeddings")},
        manifest=read_table(manifest, "manifest"),
        seed=settings["seed"],
    )
    save_figure(embedding_map.draw, data, embedding_map.size(data), *outputs)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        figure_embedding_map(
            manifest=Path(snakemake.input.manifest),
            embeddings=Path(snakemake.input.embeddings),
            encoder=snakemake.wildcards.encoder,
            outputs=[Path(snakemake.output.svg), Path(snakemake.output.png)],
            settings=json.loads(snakemake.params.settings),
        )
