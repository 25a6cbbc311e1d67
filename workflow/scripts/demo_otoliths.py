"""Draw the demo's synthetic otoliths and list them.

1. Deal out read ages in the shares of the cod.
2. Draw an otolith of about as many rings for each, slide by slide.
3. List the images with read age, slide and SHA-256.
"""

import json
from pathlib import Path
from typing import Any

from bakeoff.demo.otoliths import write_otoliths
from bakeoff.jobs import job


def demo_otoliths(listing: Path, settings: dict[str, Any]) -> None:
    """Write `listing`, and the images into the folder of the same name beside it."""
    write_otoliths(
        listing.with_suffix(""),
        listing,
        seed=settings["seed"],
        n=settings["otoliths"],
    )


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        demo_otoliths(
            listing=Path(snakemake.output.listing),
            settings=json.loads(snakemake.params.settings),
        )
