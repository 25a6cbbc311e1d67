"""The deciding metric of every encoder against the setting of one probe."""

import json
from pathlib import Path
from typing import Any

from bakeoff.figures import settings as setting
from bakeoff.figures.save import save_figure
from bakeoff.jobs import job
from bakeoff.tables import read_tables


def figure_settings(
    *,
    sensitivity: list[Path],
    outputs: list[Path],
    settings: dict[str, Any],
    run: dict[str, str],
) -> None:
    """Write the figure as SVG and PNG."""
    data = setting.data_from(
        sensitivity=read_tables(sensitivity, "sensitivity"),
        encoders=settings["encoders"],
        **run,
    )
    save_figure(setting.draw, data, setting.size(data), *outputs)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        figure_settings(
            sensitivity=[Path(path) for path in snakemake.input.sensitivity],
            outputs=[Path(snakemake.output.svg), Path(snakemake.output.png)],
            settings=json.loads(snakemake.params.settings),
            run={
                "method": snakemake.wildcards.method,
                "protocol": snakemake.wildcards.protocol,
            },
        )
