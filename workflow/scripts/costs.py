"""What the encoders of a study cost, measured one after the other in one job."""

import json
from pathlib import Path
from typing import Any

from bakeoff.costs import Measured, measure_all
from bakeoff.jobs import job
from bakeoff.tables import read_table, strings, write_table

IMAGES = 64  # of the study, spread evenly over its folders


def costs(
    *,
    manifest: Path,
    output_costs: Path,
    store: Path,
    settings: dict[str, Any],
    **how: Any,
) -> None:
    """Write one row per encoder."""
    paths = sorted(strings(read_table(manifest, "manifest", ["path"]), "path"))
    chosen = paths[:: -(-len(paths) // IMAGES)]
    rows = measure_all(
        {
            encoder: Measured(Path(entry["folder"]), entry["resolution"])
            for encoder, entry in settings["encoders"].items()
        },
        [Path(settings["images"]) / path for path in chosen],
        precision=settings["precision"],
        store=store,
        **how,
    )
    write_table(output_costs, "costs", rows, {"images": len(chosen)})


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        # Any manifest will do, so this one is not part of what costs are made from.
        inputs=[snakemake.input.note, *snakemake.input.encoders],
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        costs(
            manifest=Path(snakemake.input.manifest),
            output_costs=Path(snakemake.output.costs),
            store=Path("results/store"),
            settings=json.loads(snakemake.params.settings),
            device=snakemake.resources.device,
            threads=snakemake.threads,
        )
