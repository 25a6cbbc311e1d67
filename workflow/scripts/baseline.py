"""Every metric of answering with the commonest class, which no probe may fall short of."""

import json
from pathlib import Path
from typing import Any

from bakeoff.baseline import baseline_rows
from bakeoff.jobs import job
from bakeoff.tables import read_table, write_table


def baseline(
    *,
    manifest: Path,
    folds: list[Path],
    output_baseline: Path,
    study: str,
    settings: dict[str, Any],
) -> None:
    """Write the metrics of the commonest class of one study, under every protocol."""
    rows = baseline_rows(
        read_table(manifest, "manifest"),
        {path.stem: read_table(path, "folds") for path in folds},
        labels=settings["labels"],
        study=study,
    )
    write_table(output_baseline, "metrics", rows)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        baseline(
            manifest=Path(snakemake.input.manifest),
            folds=[Path(path) for path in snakemake.input.folds],
            output_baseline=Path(snakemake.output.baseline),
            study=snakemake.wildcards.study,
            settings=json.loads(snakemake.params.settings),
        )
