"""One division of a study's images, shared by all encoders.

Fails for a class with fewer members (or groups) than folds.
"""

import json
from pathlib import Path
from typing import Any

from bakeoff.folds import make_folds
from bakeoff.jobs import job
from bakeoff.tables import read_table, write_table


def folds(*, manifest: Path, output_folds: Path, settings: dict[str, Any]) -> None:
    """Write the fold table of one protocol."""
    rows = make_folds(
        read_table(manifest, "manifest"), settings["protocol"], settings["seed"]
    )
    provenance = {**settings["protocol"], "seed": settings["seed"]}
    write_table(output_folds, "folds", rows, provenance)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        folds(
            manifest=Path(snakemake.input.manifest),
            output_folds=Path(snakemake.output.folds),
            settings=json.loads(snakemake.params.settings),
        )
