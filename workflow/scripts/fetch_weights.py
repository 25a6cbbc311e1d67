"""The weights of one encoder, fetched once, verified and laid out for offline use.

The only job that touches the network. A download that was interrupted goes on where it
stopped. Fails with the file's name, what went wrong and how to place it by hand.
"""

import json
import os
from pathlib import Path
from typing import Any

from bakeoff import weights
from bakeoff.jobs import job


def fetch_weights(
    *,
    encoder_id: str,
    output_encoder: Path,
    settings: dict[str, Any],
    endpoint: str | None,
) -> None:
    """Fill the encoder's folder and describe it in encoder.json."""
    weights.fetch_weights(
        settings, encoder_id, output_encoder.parent, endpoint=endpoint
    )


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        fetch_weights(
            encoder_id=snakemake.wildcards.encoder,
            output_encoder=Path(snakemake.output.encoder),
            settings=json.loads(snakemake.params.settings),
            endpoint=os.environ.get("HF_ENDPOINT"),
        )
