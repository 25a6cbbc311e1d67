"""Every pair of encoders compared on every metric, by every test that is allowed.

Fails where encoders were not scored on the same images. Where a design allows no test
(groups divided between training and test), the row says so instead of giving a p-value.
"""

import json
from pathlib import Path
from typing import Any

from bakeoff.compare import pairs
from bakeoff.jobs import job
from bakeoff.tables import groups_of, read_table, read_tables, write_table


def compare(
    *,
    predictions: list[Path],
    refits: list[Path],
    metrics: list[Path],
    folds: list[Path],
    manifest: Path,
    output_comparisons: Path,
    study: str,
    settings: dict[str, Any],
) -> None:
    """Write the comparisons of one study."""
    columns = pairs.columns_for(settings["metrics"])
    rows = pairs.compare(
        (read_table(path, "predictions", columns) for path in predictions),
        read_tables(metrics, "metrics"),
        {path.stem: read_table(path, "folds") for path in folds},
        study=study,
        metric_names=settings["metrics"],
        encoders=settings["encoders"],
        bands=settings["equivalence"],
        confidence=settings["confidence"],
        finetuned=settings["finetuned"],
        refits=[read_table(path, "refits") for path in refits],
        groups=groups_of(read_table(manifest, "manifest")),
        replicates=settings["replicates"],
        seed=settings["seed"],
    )
    write_table(output_comparisons, "comparisons", rows, settings)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        compare(
            predictions=[Path(path) for path in snakemake.input.predictions],
            refits=[Path(path) for path in snakemake.input.refits],
            metrics=[Path(path) for path in snakemake.input.metrics],
            folds=[Path(path) for path in snakemake.input.folds],
            manifest=Path(snakemake.input.manifest),
            output_comparisons=Path(snakemake.output.comparisons),
            study=snakemake.wildcards.study,
            settings=json.loads(snakemake.params.settings),
        )
