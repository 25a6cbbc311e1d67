"""What the results of a study were made from and with, written beside them.

Versions, hardware, the state of the code, the configuration, the hashes of tables and
weights. Nothing depends on this file: what differs between machines may stand in it.
`bakeoff verify` compares with it.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bakeoff.checked import write_checked
from bakeoff.jobs import job
from bakeoff.provenance import provenance as record


def provenance(
    *,
    study: str,
    config: Mapping[str, Any],
    tables: Sequence[Path],
    encoders: Sequence[Path],
    images: str,
    output_record: Path,
) -> None:
    """Write the record of one study as JSON."""
    content = record(study, config, tables, encoders) | {"images": images}
    write_checked(output_record, content)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        provenance(
            study=snakemake.wildcards.study,
            config=snakemake.config,
            tables=[Path(path) for path in sorted(snakemake.params.tables)],
            encoders=[Path(path).parent for path in snakemake.input.encoders],
            images=json.loads(snakemake.params.settings)["images"],
            output_record=Path(snakemake.output.record),
        )
