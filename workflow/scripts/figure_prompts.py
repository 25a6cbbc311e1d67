"""What each single prompt does to the recall of its class."""

import csv
from pathlib import Path

from bakeoff.figures import prompts
from bakeoff.figures.save import save_figure
from bakeoff.jobs import job


def figure_prompts(*, table: Path, outputs: list[Path]) -> None:
    """Write the figure as SVG and PNG."""
    with table.open(newline="", encoding="utf-8") as file:
        data = prompts.data_from(effects=prompts.effects_of(csv.DictReader(file)))
    save_figure(prompts.draw, data, prompts.size(data), *outputs)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        figure_prompts(
            table=Path(snakemake.input.prompts),
            outputs=[Path(snakemake.output.svg), Path(snakemake.output.png)],
        )
