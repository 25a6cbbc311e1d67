"""The images of a study, read once: what they are, and which ones cannot be used.

1. Find the images, by folder or by a file of labels.
2. Decode each one; refuse what is broken, animated or oversized.
3. Name each by the hash of its bytes, so that no name or place matters later.

Fails, listing every case at once, for unreadable files (unless they go to quarantine),
labels that are not numbers in an ordinal study, one image with two labels or in both
train and test, and a group that is divided between them.
"""

import json
from pathlib import Path
from typing import Any

from bakeoff.jobs import job
from bakeoff.manifest import build_manifest
from bakeoff.tables import write_table


def manifest(
    *,
    output_manifest: Path,
    output_quarantine: Path,
    settings: dict[str, Any],
    threads: int,
) -> None:
    """Write the manifest and the quarantine of one study."""
    labels_file = settings["labels_file"]
    rows, refused = build_manifest(
        Path(settings["images"]),
        labels_file=Path(labels_file) if labels_file else None,
        labels=settings["labels"],
        clip=settings["clip"],
        group_pattern=settings["group_pattern"],
        on_unreadable=settings["on_unreadable"],
        pixel_limit=settings["pixel_limit"],
        threads=threads,
    )
    keys = ("labels", "clip", "group_pattern", "on_unreadable")
    provenance = {key: settings[key] for key in keys}
    write_table(output_quarantine, "quarantine", refused, provenance)
    write_table(output_manifest, "manifest", rows, provenance)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        manifest(
            output_manifest=Path(snakemake.output.manifest),
            output_quarantine=Path(snakemake.output.quarantine),
            settings=json.loads(snakemake.params.settings),
            threads=snakemake.threads,
        )
