"""Images whose label every encoder disputes."""

import json
from pathlib import Path
from typing import Any

from bakeoff.figures import disputes
from bakeoff.figures.save import save_figure
from bakeoff.images import read_image
from bakeoff.jobs import job
from bakeoff.tables import read_table


def figure_disputes(
    *,
    manifest: Path,
    predictions: list[Path],
    outputs: list[Path],
    settings: dict[str, Any],
) -> None:
    """Write the figure as SVG and PNG."""
    data = disputes.data_from(
        predictions=[read_table(path, "predictions") for path in predictions],
        manifest=read_table(manifest, "manifest"),
        folder=Path(settings["images"]),
        read=read_image,
        encoders=settings["encoders"],
    )
    save_figure(disputes.draw, data, disputes.size(data), *outputs)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        figure_disputes(
            manifest=Path(snakemake.input.manifest),
            predictions=[Path(path) for path in snakemake.input.predictions],
            outputs=[Path(snakemake.output.svg), Path(snakemake.output.png)],
            settings=json.loads(snakemake.params.settings),
        )
