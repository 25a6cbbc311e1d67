"""The deciding metric against the number of training images."""

import json
from pathlib import Path
from typing import Any

from bakeoff.figures import learning_curve
from bakeoff.figures.save import save_figure
from bakeoff.jobs import job
from bakeoff.tables import read_table, read_tables


def figure_learning_curve(
    *,
    metrics: list[Path],
    folds: list[Path],
    outputs: list[Path],
    settings: dict[str, Any],
    method: str,
) -> None:
    """Write the figure as SVG and PNG."""
    data = learning_curve.data_from(
        metrics=read_tables(metrics, "metrics"),
        folds={
            protocol: read_table(path, "folds")
            for protocol, path in zip(settings["protocols"], folds, strict=True)
        },
        method=method,
        metric=settings["metrics"][0],
        encoders=settings["encoders"],
    )
    save_figure(learning_curve.draw, data, learning_curve.size(data), *outputs)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        figure_learning_curve(
            metrics=[Path(path) for path in snakemake.input.metrics],
            folds=[Path(path) for path in snakemake.input.folds],
            outputs=[Path(snakemake.output.svg), Path(snakemake.output.png)],
            settings=json.loads(snakemake.params.settings),
            method=snakemake.wildcards.method,
        )
