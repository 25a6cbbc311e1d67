"""The deciding metric against latency, size and memory."""

import json
from pathlib import Path
from typing import Any

from bakeoff.figures import tradeoff
from bakeoff.figures.save import save_figure
from bakeoff.jobs import job
from bakeoff.tables import read_table, read_tables


def figure_tradeoff(
    *,
    metrics: list[Path],
    costs: Path,
    outputs: list[Path],
    settings: dict[str, Any],
    run: dict[str, str],
) -> None:
    """Write the figure as SVG and PNG."""
    data = tradeoff.data_from(
        metrics=read_tables(metrics, "metrics"),
        costs=read_table(costs, "costs"),
        **run,
        metric=settings["metrics"][0],
        encoders=settings["encoders"],
    )
    save_figure(tradeoff.draw, data, tradeoff.size(data), *outputs)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        figure_tradeoff(
            metrics=[Path(path) for path in snakemake.input.metrics],
            costs=Path(snakemake.input.costs),
            outputs=[Path(snakemake.output.svg), Path(snakemake.output.png)],
            settings=json.loads(snakemake.params.settings),
            run={
                "method": snakemake.wildcards.method,
                "protocol": snakemake.wildcards.protocol,
            },
        )
