"""The deciding metric against the resolution at which images were encoded."""

import json
from pathlib import Path
from typing import Any

from bakeoff.figures import resolution
from bakeoff.figures.save import save_figure
from bakeoff.jobs import job
from bakeoff.tables import origin, read_table, read_tables


def figure_resolution(
    *,
    metrics: list[Path],
    embeddings: list[Path],
    outputs: list[Path],
    settings: dict[str, Any],
    run: dict[str, str],
) -> None:
    """Write the figure as SVG and PNG; the tables are in the order of the encoders."""
    pixels = {
        encoder: origin(read_table(path, "embeddings", ["image_id"]))["resolution"]
        for encoder, path in zip(settings["encoders"], embeddings, strict=True)
    }
    data = resolution.data_from(
        metrics=read_tables(metrics, "metrics"),
        # base@384 and base are one model at two resolutions
        resolutions={e: (e.partition("@")[0], pixels[e]) for e in pixels},
        metric=settings["metrics"][0],
        **run,
    )
    save_figure(resolution.draw, data, resolution.size(data), *outputs)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        figure_resolution(
            metrics=[Path(path) for path in snakemake.input.metrics],
            embeddings=[Path(path) for path in snakemake.input.embeddings],
            outputs=[Path(snakemake.output.svg), Path(snakemake.output.png)],
            settings=json.loads(snakemake.params.settings),
            run={
                "method": snakemake.wildcards.method,
                "protocol": snakemake.wildcards.protocol,
            },
        )
