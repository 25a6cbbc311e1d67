"""Which prompts to keep, what that gains on held-out images, and what each one does.

Prompts are chosen on the training images of each run; the gain is that on its test
images. The table of prompts describes the bank and looks at every label.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bakeoff import prompt_lab as lab
from bakeoff.jobs import job
from bakeoff.prompt_views import prompt_rows
from bakeoff.store import refuse_mixture
from bakeoff.tables import atomic_path, origin, read_table, write_table


def prompt_lab(
    *,
    embeddings: Path,
    texts: Path,
    manifest: Path,
    folds: Path,
    output_predictions: Path,
    output_prompts: Path,
    output_gain: Path,
    settings: dict[str, Any],
    **names: str,
) -> None:
    """Write the predictions of the prompts kept, every prompt's effect, and the gain."""
    vectors, prompts = read_table(embeddings, "embeddings"), read_table(texts, "texts")
    refuse_mixture(embeddings=origin(vectors), texts=origin(prompts))
    images = read_table(manifest, "manifest")
    made = lab.prompt_lab(
        vectors,
        prompts,
        images,
        read_table(folds, "folds"),
        labels=settings["labels"],
        confidence=settings["confidence"],
        logit_scale=origin(prompts)["logit_scale"],
        **names,
    )
    write_table(output_predictions, "predictions", made.columns, made.provenance)
    rows = prompt_rows(
        vectors,
        prompts,
        images,
        kept=made.kept,
        encoder=names["encoder"],
        labels=settings["labels"],
    )
    _write_csv(output_prompts, rows)
    _write_csv(output_gain, [asdict(made.gain)])


def _write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        prompt_lab(
            embeddings=Path(snakemake.input.embeddings),
            texts=Path(snakemake.input.texts),
            manifest=Path(snakemake.input.manifest),
            folds=Path(snakemake.input.folds),
            output_predictions=Path(snakemake.output.predictions),
            output_prompts=Path(snakemake.output.prompts),
            output_gain=Path(snakemake.output.gain),
            settings=json.loads(snakemake.params.settings),
            study=snakemake.wildcards.study,
            protocol=snakemake.wildcards.protocol,
            encoder=snakemake.wildcards.encoder,
        )
