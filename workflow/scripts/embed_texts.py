"""The vectors of a study's prompts from one encoder.

Fails where the prompt bank and the study do not have the same classes.
"""

from pathlib import Path
from typing import Any

from bakeoff.extract import extract_texts
from bakeoff.jobs import job
from bakeoff.prompts import read_bank
from bakeoff.tables import read_table, strings, write_table


def embed_texts(
    *,
    prompts: Path,
    manifest: Path,
    encoder: Path,
    encoder_id: str,
    output_texts: Path,
    store: Path,
    **how: Any,
) -> None:
    """Write the embeddings of one prompt bank and encoder."""
    labels = strings(read_table(manifest, "manifest", ["label"]), "label")
    columns, provenance = extract_texts(
        [
            {"class": prompt.label, "template": prompt.template, "text": prompt.text}
            for prompt in read_bank(prompts, sorted(set(labels)))
        ],
        encoder.parent,
        encoder_id=encoder_id,
        store=store,
        **how,
    )
    write_table(output_texts, "texts", columns, provenance)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        embed_texts(
            prompts=Path(snakemake.input.prompts),
            manifest=Path(snakemake.input.manifest),
            encoder=Path(snakemake.input.encoder),
            encoder_id=snakemake.wildcards.encoder,
            output_texts=Path(snakemake.output.texts),
            store=Path("results/store"),
            device=snakemake.resources.device,
            threads=snakemake.threads,
        )
