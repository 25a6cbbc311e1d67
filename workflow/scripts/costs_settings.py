"""What costs are measured of, and by which code: a note that changes when they do."""

import json
from pathlib import Path
from typing import Any

from bakeoff.files import atomic_path
from bakeoff.jobs import job


def costs_settings(*, output_note: Path, settings: dict[str, Any], code: str) -> None:
    """Write the settings and the version of the code that measures."""
    with atomic_path(output_note) as temporary:
        temporary.write_text(json.dumps({"settings": settings, "code": code}, indent=1))


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        costs_settings(
            output_note=Path(snakemake.output.note),
            settings=json.loads(snakemake.params.settings),
            code=snakemake.params.measured,
        )
