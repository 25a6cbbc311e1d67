"""A finished study of two images, as the workflow leaves it, for verification."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
from bakeoff.checked import write_checked
from bakeoff.encoders.folder import open_folder
from bakeoff.files import sha256_of
from bakeoff.indexing import build_index
from bakeoff.provenance import provenance
from bakeoff.records import Record, content_hash, write_record
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


def put_index(place: Path, study: str, encoder: str) -> Path:
    """The index of an encoder's embeddings as they are now."""
    name = f"results/{study}/embeddings/{encoder}.parquet"
    build_index(
        place / "results" / study / "index" / encoder,
        images=read_table(place / name, "embeddings"),
        manifest=pa.table(columns_of("manifest", {})),
    )
    return put_job(place, f"results/{study}/index/{encoder}", name)


def put_job(place: Path, output: str, *inputs: str) -> Path:
    """The record of the job that has made this output from these inputs just now."""
    record = Record(
        "x.py", {}, {}, {}, _hashes(place, inputs), _hashes(place, [output])
    )
    write_record(record, place / output)
    return place / output


def _hashes(place: Path, names: Iterable[str]) -> dict[str, str]:
    found = {name: content_hash(place / name) for name in names}
    return {name: digest for name, digest in found.items() if digest}


def put_record(place: Path, study: str, tables: list[Path]) -> None:
    """Page, printed table, figure, all records, and the provenance of the study."""
    folder, names = place / "results" / study, []
    for path in tables:
        names.append(path.relative_to(place).as_posix())
        put_job(place, names[-1])
    for name in ("summary.html", "tables/results.csv", "figures/accuracy.svg"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)
        put_job(place, f"results/{study}/{name}", *names)
    made = provenance(study, {}, tables, [place / "resources" / e for e in ENCODERS])
    for part in ("tables", "encoders"):
        made[part] = {
            Path(name).relative_to(place).as_posix(): value
            for name, value in made[part].items()
        }
    write_checked(folder / "provenance.json", made | {"images": "images"})


def _put_manifest(place: Path, results: Path, study: str) -> None:
    (place / "images").mkdir(exist_ok=True)
    (place / "images/1.png").write_bytes(b"a picture")
    rows = columns_of("manifest", {"path": "1.png"})
    rows["image_id"] = [sha256_of(place / "images/1.png")]
    write_table(results / study / "manifest.parquet", "manifest", rows)
    put_table(results, "{study}/comparisons.parquet", {"study": study})
