"""An encoder of one's own in a plain folder becomes a weights folder like any other.

1. Link the files that its loader reads.
2. Load the model once and ask it for its dimension and resolution.
3. Write encoder.json, with the SHA-256 of every file.
"""

import json
from pathlib import Path
from typing import Any

from bakeoff import describe
from bakeoff.jobs import job


def describe_weights(
    *, encoder_id: str, output_encoder: Path, settings: dict[str, Any]
) -> None:
    """Fill the encoder's folder and describe it in encoder.json."""
    files = {name: Path(path) for name, path in settings["files"].items()}
    describe.describe_weights(output_encoder.parent, encoder_id, settings, files)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        describe_weights(
            encoder_id=snakemake.wildcards.encoder,
            output_encoder=Path(snakemake.output.encoder),
            settings=json.loads(snakemake.params.settings),
        )
