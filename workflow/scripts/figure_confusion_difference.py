"""Where the first two encoders of the study confuse differently."""

import json
from pathlib import Path
from typing import Any

from bakeoff.figures import confusion_difference
from bakeoff.figures.save import save_figure
from bakeoff.jobs import job
from bakeoff.tables import read_table


def figure_confusion_difference(
    *, predictions: list[Path], outputs: list[Path], settings: dict[str, Any]
) -> None:
    """Write the figure as SVG and PNG."""
    a, b = settings["encoders"]
    data = confusion_difference.data_from(
        predictions=[read_table(path, "predictions") for path in predictions],
        a=a,
        b=b,
    )
    save_figure(
        confusion_difference.draw, data, confusion_difference.size(data), *outputs
    )


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        figure_confusion_difference(
            predictions=[Path(path) for path in snakemake.input.predictions],
            outputs=[Path(snakemake.output.svg), Path(snakemake.output.png)],
            settings=json.loads(snakemake.params.settings),
        )
