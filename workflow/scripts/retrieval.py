"""How well prompts find images and images prompts, for every encoder with texts.

Scored on the test images of a study that is divided, else on all of its images: an
encoder that was fine-tuned on the training images is never scored on them.
"""

from pathlib import Path

from bakeoff.jobs import job
from bakeoff.metrics.retrieval import retrieval_rows
from bakeoff.schemas import SCHEMAS
from bakeoff.tables import read_table, write_table


def retrieval(
    *,
    manifest: Path,
    embeddings: list[Path],
    texts: list[Path],
    output_retrieval: Path,
    study: str,
) -> None:
    """Write R@k and mAP both ways; no rows where no encoder has texts."""
    images = read_table(manifest, "manifest")
    required = [c.name for c in SCHEMAS["metrics"].columns if not c.nullable]
    rows: dict[str, list] = {name: [] for name in required}
    for vectors, prompts in zip(embeddings, texts, strict=True):
        found = retrieval_rows(
            study,
            images,
            read_table(vectors, "embeddings"),
            read_table(prompts, "texts"),
        )
        for name, values in found.items():
            rows.setdefault(name, []).extend(values)
    write_table(output_retrieval, "metrics", rows)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        retrieval(
            manifest=Path(snakemake.input.manifest),
            embeddings=[Path(path) for path in snakemake.input.embeddings],
            texts=[Path(path) for path in snakemake.input.texts],
            output_retrieval=Path(snakemake.output.retrieval),
            study=snakemake.wildcards.study,
        )
