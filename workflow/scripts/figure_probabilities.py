"""How probable it is that an encoder is better, equivalent or worse."""

import json
from pathlib import Path
from typing import Any

from bakeoff.figures import probabilities
from bakeoff.figures.save import save_figure
from bakeoff.jobs import job
from bakeoff.tables import read_table


def figure_probabilities(
    *,
    comparisons: Path,
    outputs: list[Path],
    settings: dict[str, Any],
    run: dict[str, str],
) -> None:
    """Write the figure as SVG and PNG."""
    data = probabilities.data_from(
        comparisons=read_table(comparisons, "comparisons"),
        metric=settings["metrics"][0],
        control=settings["control"],
        **run,
    )
    save_figure(probabilities.draw, data, probabilities.size(data), *outputs)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        figure_probabilities(
            comparisons=Path(snakemake.input.comparisons),
            outputs=[Path(snakemake.output.svg), Path(snakemake.output.png)],
            settings=json.loads(snakemake.params.settings),
            run={
                "method": snakemake.wildcards.method,
                "protocol": snakemake.wildcards.protocol,
            },
        )
