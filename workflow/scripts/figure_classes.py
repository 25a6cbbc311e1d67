"""Recall of every class: the first two encoders of the study compared."""

import json
from pathlib import Path
from typing import Any

from bakeoff.figures import per_class
from bakeoff.figures.save import save_figure
from bakeoff.jobs import job
from bakeoff.tables import read_table


def figure_classes(
    *,
    comparisons: Path,
    metrics: Path,
    outputs: list[Path],
    settings: dict[str, Any],
    run: dict[str, str],
) -> None:
    """Write the figure as SVG and PNG."""
    data = per_class.data_from(
        comparisons=read_table(comparisons, "comparisons"),
        metrics=read_table(metrics, "metrics"),
        a=settings["encoders"][0],
        b=settings["encoders"][1],
        **run,
        alpha=1 - settings["confidence"],
    )
    save_figure(per_class.draw, data, per_class.size(data), *outputs)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        figure_classes(
            comparisons=Path(snakemake.input.comparisons),
            metrics=Path(snakemake.input.metrics[0]),
            outputs=[Path(snakemake.output.svg), Path(snakemake.output.png)],
            settings=json.loads(snakemake.params.settings),
            run={
                "method": snakemake.wildcards.method,
                "protocol": snakemake.wildcards.protocol,
            },
        )
