"""The deciding metric of every encoder, with intervals."""

import json
from pathlib import Path
from typing import Any

from bakeoff.figures import accuracy
from bakeoff.figures.save import save_figure
from bakeoff.jobs import job
from bakeoff.tables import read_table, read_tables


def figure_accuracy(
    *,
    metrics: list[Path],
    baseline: Path,
    outputs: list[Path],
    settings: dict[str, Any],
) -> None:
    """Write the figure as SVG and PNG."""
    data = accuracy.data_from(
        metrics=read_tables(metrics, "metrics"),
        baseline=read_table(baseline, "metrics"),
        metric=settings["metrics"][0],
        encoders=settings["encoders"],
        confidence=settings["confidence"],
    )
    save_figure(accuracy.draw, data, accuracy.size(data), *outputs)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        figure_accuracy(
            metrics=[Path(path) for path in snakemake.input.metrics],
            baseline=Path(snakemake.input.baseline),
            outputs=[Path(snakemake.output.svg), Path(snakemake.output.png)],
            settings=json.loads(snakemake.params.settings),
        )
