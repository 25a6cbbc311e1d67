"""What happened in the fine-tuning of every encoder of a study."""

import json
from pathlib import Path
from typing import Any

from bakeoff.figures import training
from bakeoff.figures.save import save_figure
from bakeoff.jobs import job
from bakeoff.tables import read_table


def figure_training(
    *, tables: list[Path], outputs: list[Path], settings: dict[str, Any]
) -> None:
    """Write the figure as SVG and PNG; `tables` are in the order of the encoders."""
    data = training.data_from(
        training={
            encoder: read_table(path, "training")
            for encoder, path in zip(settings["encoders"], tables, strict=True)
        }
    )
    save_figure(training.draw, data, training.size(data), *outputs)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        figure_training(
            tables=[Path(path) for path in snakemake.input.training],
            outputs=[Path(snakemake.output.svg), Path(snakemake.output.png)],
            settings=json.loads(snakemake.params.settings),
        )
