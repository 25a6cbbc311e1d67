"""How many jobs share the embedding of a study's images.

The configuration gives the size of a part, the manifest the number of images; `make
spread` therefore makes the manifests first. Parts are equal in size but for chance: an
image's content decides to which it belongs.
"""

from bakeoff.errors import BakeoffError

from planning.plan import Plan


def notes(plan: Plan) -> list[str]:
    """The file that each job of `make spread` writes: all encoders, studies and parts.

    Encoders that are composed from what others of the study embed need no such job.
    Raises BakeoffError where there is no manifest.
    """
    size = plan.config["extraction"]["images_per_job"]
    parts = {study: -(-images(study) // size) if size else 1 for study in plan.studies}
    return [
        f"results/{study}/parts/{encoder}/{part}of{n}.json"
        for study, n in parts.items()
        for encoder in plan.encoders(study)
        if _encodes(plan, study, encoder)
        for part in range(1, n + 1)
    ]


def _encodes(plan: Plan, study: str, encoder: str) -> bool:
    """Whether an encoder has images to encode that no other of the study encodes."""
    made_of = plan.made_of(encoder)
    return not made_of or set(made_of) > set(plan.composed_of(study, encoder))


def images(study: str) -> int:
    """How many images the manifest of a study lists, from the end of its file alone."""
    # Every job parses the Snakefile; only the run that plans parts needs Arrow.
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = f"results/{study}/manifest.parquet"
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException) as error:
        raise BakeoffError(
            path,
            f"no table that can be read ({error})",
            "the study's manifest",
            "Make it first: `snakemake manifests`, or all of it: `make spread`.",
        ) from error
