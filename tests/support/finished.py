"""A finished study of two images, as the workflow leaves it, for verification."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
from bakeoff.encoders.folder import open_folder
from bakeoff.images import sha256_of
from bakeoff.indexing import build_index
from bakeoff.provenance import provenance
from bakeoff.records import write_record
from bakeoff.tables import read_table, write_table

from support.tables import columns_of, put_table

ENCODERS = ("a", "b")


def put_weights(folder: Path, encoder: str, content: str = "weights") -> Path:
    """The folder of an encoder whose one file has this content."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_text(f"{encoder} {content}")
    note = {
        "id": encoder,
        "loader": "openclip",
        "files": {"model.safetensors": sha256_of(folder / "model.safetensors")},
        "resolution": 8,
        "dimension": 2,
    }
    (folder / "encoder.json").write_text(json.dumps(note))
    return folder


def put_study(place: Path, study: str = "s") -> Path:
    """The folder results/ below `place`, with a study of encoders a and b in it."""
    results = place / "results"
    for encoder in ENCODERS:
        put_weights(place / "resources" / encoder, encoder)
    _put_manifest(place, results, study)
    tables = sorted(results.glob(f"{study}/*.parquet"))
    for kind in ("embeddings", "texts", "metrics"):
        tables += [put_vectors(place, study, kind, encoder) for encoder in ENCODERS]
    for method in ("ridge", "svc"):
        names = {"study": study, "protocol": "cv", "method": method}
        tables += [
            put_table(
                results,
                "{study}/predictions/{protocol}/{method}/{encoder}.parquet",
                names | {"encoder": encoder},
            )
            for encoder in ENCODERS
        ]
    put_index(place, study, "a")
    put_record(place, study, tables)
    return results


def put_vectors(
    place: Path, study: str, kind: str, encoder: str, rows: Any = None
) -> Path:
    """Embeddings, texts or metrics of one encoder, made from its weights."""
    weights = open_folder(place / "resources" / encoder)
    note = {"encoder": encoder, "key": weights.key(precision="fp32")}
    table = f"{{study}}/{kind}/{{encoder}}.parquet"
    names = {"study": study, "encoder": encoder}
    return put_table(place / "results", table, names, rows, **note)


def put_index(place: Path, study: str, encoder: str) -> None:
    """The index of an encoder's embeddings as they are now."""
    folder = place / "results" / study
    name = f"results/{study}/embeddings/{encoder}.parquet"
    build_index(
        folder / "index" / encoder,
        images=read_table(place / name, "embeddings"),
        manifest=pa.table(columns_of("manifest", {})),
        made_from={name: sha256_of(place / name)},
    )


def put_record(place: Path, study: str, tables: list[Path]) -> None:
    """Page, printed table and figure, and the record of the study as it is now."""
    folder = place / "results" / study
    outputs = [folder / "summary.html", folder / "tables/results.csv"]
    outputs.append(folder / "figures/accuracy.svg")
    for path in outputs:
        path.parent.mkdir(exist_ok=True)
        path.write_text(path.name)
    made = provenance(
        study, {}, tables, outputs, [place / "resources" / e for e in ENCODERS]
    )
    for part in ("tables", "outputs", "encoders"):
        made[part] = {
            Path(name).relative_to(place).as_posix(): value
            for name, value in made[part].items()
        }
    write_record(folder / "provenance.json", made | {"images": "images"})


def _put_manifest(place: Path, results: Path, study: str) -> None:
    (place / "images").mkdir(exist_ok=True)
    (place / "images/1.png").write_bytes(b"a picture")
    rows = columns_of("manifest", {"path": "1.png"})
    rows["image_id"] = [sha256_of(place / "images/1.png")]
    write_table(results / study / "manifest.parquet", "manifest", rows)
    put_table(results, "{study}/comparisons.parquet", {"study": study})
