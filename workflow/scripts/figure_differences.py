"""Every difference with its interval and the band of equivalence."""

import json
from pathlib import Path
from typing import Any

from bakeoff.figures import forest
from bakeoff.figures.save import save_figure
from bakeoff.jobs import job
from bakeoff.tables import read_table


def figure_differences(
    *,
    comparisons: Path,
    outputs: list[Path],
    settings: dict[str, Any],
    run: dict[str, str],
) -> None:
    """Write the figure as SVG and PNG."""
    data = forest.data_from(
        comparisons=read_table(comparisons, "comparisons"),
        metrics=settings["metrics"],
        bands=settings["equivalence"],
        control=settings["control"],
        **run,
    )
    save_figure(forest.draw, data, forest.size(data), *outputs)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        figure_differences(
            comparisons=Path(snakemake.input.comparisons),
            outputs=[Path(snakemake.output.svg), Path(snakemake.output.png)],
            settings=json.loads(snakemake.params.settings),
            run={
                "method": snakemake.wildcards.method,
                "protocol": snakemake.wildcards.protocol,
            },
        )
