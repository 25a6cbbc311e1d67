"""Mean ranks of the encoders over several studies."""

from pathlib import Path

from bakeoff.figures import critical_difference
from bakeoff.figures.save import save_figure
from bakeoff.jobs import job
from bakeoff.tables import read_table


def figure_critical_difference(*, ranks: Path, outputs: list[Path]) -> None:
    """Write the figure as SVG and PNG."""
    data = critical_difference.data_from(ranks=read_table(ranks, "ranks"))
    save_figure(
        critical_difference.draw, data, critical_difference.size(data), *outputs
    )


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        figure_critical_difference(
            ranks=Path(snakemake.input.ranks),
            outputs=[Path(snakemake.output.svg), Path(snakemake.output.png)],
        )
