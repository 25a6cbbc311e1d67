"""An encoder made of others: a description of its parts, or weights between theirs.

Fails where vectors of different lengths would be averaged, or weights of different
architectures mixed.
"""

import json
from pathlib import Path
from typing import Any

from bakeoff.encoders import derive as encoders
from bakeoff.jobs import job


def derive(*, encoder_id: str, output_encoder: Path, settings: dict[str, Any]) -> None:
    """Fill the encoder's folder and describe it in encoder.json."""
    folder, kind = output_encoder.parent, settings["derived"]
    parts = [(Path(p["folder"]), p["resolution"]) for p in settings["parts"]]
    if kind == "interpolate":
        (a, _), (b, _) = parts
        encoders.interpolate(folder, encoder_id, a, b, settings["alpha"])
    else:
        encoders.derive(folder, encoder_id, kind, parts, tiles=settings["tiles"])


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        derive(
            encoder_id=snakemake.wildcards.encoder,
            output_encoder=Path(snakemake.output.encoder),
            settings=json.loads(snakemake.params.settings),
        )
