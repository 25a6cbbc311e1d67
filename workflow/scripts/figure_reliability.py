"""Whether a confidence of 80 % is right 80 % of the time."""

import json
from pathlib import Path
from typing import Any

from bakeoff.figures import reliability
from bakeoff.figures.save import save_figure
from bakeoff.jobs import job
from bakeoff.tables import read_table


def figure_reliability(
    *, predictions: list[Path], outputs: list[Path], settings: dict[str, Any]
) -> None:
    """Write the figure as SVG and PNG."""
    data = reliability.data_from(
        predictions=[read_table(path, "predictions") for path in predictions],
        encoders=settings["encoders"],
        confidence=settings["confidence"],
    )
    save_figure(reliability.draw, data, reliability.size(data), *outputs)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        figure_reliability(
            predictions=[Path(path) for path in snakemake.input.predictions],
            outputs=[Path(snakemake.output.svg), Path(snakemake.output.png)],
            settings=json.loads(snakemake.params.settings),
        )
