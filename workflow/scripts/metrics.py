"""Every metric of one encoder, from its predictions alone.

Fails where numbers contradict each other: an image scored twice in a repeat, a share
that is not its counts, supports that do not add up.
"""

from pathlib import Path

from bakeoff.jobs import job
from bakeoff.metrics.table import metrics_rows
from bakeoff.tables import groups_of, read_table, write_table


def metrics(
    *, predictions: list[Path], manifest: Path, output_metrics: Path, study: str
) -> None:
    """Write the metrics of one study and encoder."""
    groups = groups_of(read_table(manifest, "manifest"))
    rows: dict[str, list] = {}
    for path in predictions:
        for name, values in metrics_rows(
            read_table(path, "predictions"), study, groups
        ).items():
            rows.setdefault(name, []).extend(values)
    write_table(output_metrics, "metrics", rows)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        metrics(
            predictions=[Path(path) for path in snakemake.input.predictions],
            manifest=Path(snakemake.input.manifest),
            output_metrics=Path(snakemake.output.metrics),
            study=snakemake.wildcards.study,
        )
