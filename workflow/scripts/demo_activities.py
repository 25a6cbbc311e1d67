"""Draw the demo's activity images and list them.

1. Render the 15 x 18 drawings of an activity.
2. Put each into several scenes, training and test drawings apart.
3. List the images with label, split, drawing and SHA-256.
"""

import json
from pathlib import Path
from typing import Any

from bakeoff.demo.activities import write_activities
from bakeoff.jobs import job


def demo_activities(listing: Path, settings: dict[str, Any]) -> None:
    """Write `listing`, and the images into the folder of the same name beside it."""
    write_activities(
        listing.with_suffix(""),
        listing,
        seed=settings["seed"],
        scenes_per_drawing=settings["scenes_per_drawing"],
        size=settings["size"],
    )


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        demo_activities(
            listing=Path(snakemake.output.listing),
            settings=json.loads(snakemake.params.settings),
        )
