"""Parquet tables that are whole, typed, deterministic and say what they are.

A table is written to a temporary name, flushed and renamed, so a file under its final
name is never half a table. Its schema's metadata hold its kind, the version of the
schemas, whose table it is (`places`) and the provenance that the writer gave; no time
and no machine name, so that the same rows always give the same bytes.
"""

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bakeoff import seal
from bakeoff.errors import BakeoffError
from bakeoff.files import atomic_path as atomic_path
from bakeoff.places import Place, place_of
from bakeoff.schemas import SCHEMAS, VERSION

_METADATA_KEY = b"bakeoff"
_ROWS_PER_GROUP = 65_536
# What Arrow raises for bytes that are no Parquet file.
_UNREADABLE = (pa.ArrowException, OSError, ValueError, MemoryError)


def write_table(
    path: str | Path,
    kind: str,
    columns: pa.Table | Mapping[str, Any],
    provenance: Mapping[str, Any] | None = None,
    *,
    dimension: int | None = None,
) -> None:
    """Write `columns` as a table of `kind`, atomically.

    `columns` is an Arrow table or a mapping of column names to arrays of one length;
    nullable columns may be left out. Embeddings are (n, d) float32 arrays; `dimension`
    gives d where there are no rows. Raises ValueError for unknown, missing or
    duplicate-keyed rows: these are faults of bakeoff, never of a user.
    """
    table = _conform(kind, columns, dimension)
    _check_key(kind, table)
    table = table.replace_schema_metadata(_note(path, kind, provenance))
    with _sealed(path, table.schema) as writer:
        writer.write_table(table, row_group_size=_ROWS_PER_GROUP)


def write_batches(
    path: str | Path,
    kind: str,
    batches: Iterable[pa.Table],
    provenance: Mapping[str, Any] | None = None,
    *,
    dimension: int | None = None,
) -> None:
    """Write a table of `kind` batch by batch, atomically, never holding all of it.

    The rows must ascend strictly by the first column of the key, which is what makes
    them distinct without looking back; ValueError otherwise. The same batches give the
    same bytes. There may be none.
    """
    schema = SCHEMAS[kind].arrow(dimension)
    schema = schema.with_metadata(_note(path, kind, provenance))
    key, last = SCHEMAS[kind].key[0], ""
    with _sealed(path, schema) as writer:
        for batch in batches:
            table = _conform(kind, batch, dimension)
            values = [last, *table.column(key).to_pylist()]
            if any(a >= b for a, b in pairwise(values)):
                raise ValueError(f"table {kind!r}: rows do not ascend by {key!r}")
            last = values[-1]
            writer.write_table(table.replace_schema_metadata(schema.metadata))


def read_table(
    path: str | Path, kind: str, columns: Sequence[str] | None = None
) -> pa.Table:
    """The table at `path`, which must be of `kind` and of this version's schema.

    Raises BakeoffError where the file is missing, damaged, of another kind, another
    table than its path says, or written by a version of bakeoff whose tables mean
    something else.
    """
    _read_note(path, kind)
    try:
        return pq.read_table(path, columns=list(columns) if columns else None)
    except _UNREADABLE as error:
        raise _damaged(path, str(error)) from error


def read_tables(
    paths: Sequence[str | Path], kind: str, columns: Sequence[str] | None = None
) -> pa.Table:
    """The tables at `paths`, all of `kind`, one below the other."""
    tables = [read_table(path, kind, columns) for path in paths]
    plain = [table.replace_schema_metadata(None) for table in tables]
    return pa.concat_tables(plain).unify_dictionaries()


def provenance(path: str | Path, kind: str) -> dict[str, Any]:
    """What the writer of the table at `path` said about its origin."""
    return _read_note(path, kind)["provenance"]


@dataclass(frozen=True)
class Description:
    """What a table says of itself: its kind, whose it is, what its writer noted.

    names: study, encoder, protocol and so on; provenance: what it was made from.
    """

    kind: str
    names: dict[str, str]
    provenance: dict[str, Any]


def describe(path: str | Path, results: Path | None = None) -> Description | None:
    """What the table at `path` says of itself, every byte checked; None for a stranger.

    A stranger is a whole Parquet file of another program where no table has its place;
    `results` is the folder below which places are counted (see `place_of`). Raises
    BakeoffError as `read_table` does.
    """
    place = place_of(path, results)
    note, is_sealed = _parse_note(path)
    is_ours = _is_note(note) and note["kind"] in SCHEMAS
    if place is None and not is_ours:
        return None
    _check_note(path, place.kind if place else note["kind"], note, is_sealed)
    names = _check_names(path, note, place)
    return Description(note["kind"], names, note["provenance"])


def origin(table: pa.Table) -> dict[str, Any]:
    """What the writer of a table said about it; empty for one made in memory.

    `provenance` for a table that has been read already.
    """
    note = (table.schema.metadata or {}).get(_METADATA_KEY)
    return json.loads(note)["provenance"] if note else {}


def vectors(table: pa.Table) -> np.ndarray:
    """The embeddings of a table, (n, d) float32, in the order of its rows."""
    column = table.column("embedding").combine_chunks()
    dimension = column.type.list_size
    return np.asarray(column.flatten(), dtype=np.float32).reshape(-1, dimension)


def strings(table: pa.Table, name: str) -> np.ndarray:
    """A text column as a NumPy array of objects, dictionary-encoded or not."""
    column = table.column(name)
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, pa.string())
    return np.asarray(column.to_pylist(), dtype=object)


def groups_of(manifest: pa.Table) -> dict[str, str] | None:
    """{image_id: group} of a manifest; None where no image has a group."""
    groups = manifest.column("group")
    if groups.null_count == len(groups):
        return None
    ids = manifest.column("image_id").to_pylist()
    return dict(zip(ids, groups.to_pylist(), strict=True))


@contextlib.contextmanager
def _sealed(path: str | Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """A writer whose file takes the place of `path`, sealed, when the block ends well."""
    with atomic_path(path) as temporary:
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            yield writer
            writer.add_key_value_metadata({seal.KEY: seal.BLANK})
        seal.seal(temporary)


def _note(
    path: str | Path, kind: str, provenance: Mapping[str, Any] | None
) -> dict[bytes, bytes]:
    place = place_of(path)
    note = {
        "kind": kind,
        "version": VERSION,
        "names": place.names if place else {},
        "provenance": dict(provenance or {}),
    }
    return {_METADATA_KEY: json.dumps(note, sort_keys=True).encode()}


def _conform(
    kind: str, columns: pa.Table | Mapping[str, Any], dimension: int | None
) -> pa.Table:
    schema = SCHEMAS[kind]
    given = (
        {name: columns.column(name) for name in columns.column_names}
        if isinstance(columns, pa.Table)
        else dict(columns)
    )
    required = {column.name for column in schema.columns if not column.nullable}
    unknown, missing = set(given) - set(schema.names), required - set(given)
    if unknown or missing:
        raise ValueError(
            f"table {kind!r}: unknown columns {sorted(unknown)}, "
            f"missing columns {sorted(missing)}"
        )
    if "embedding" in given:
        dimension = dimension or _dimension(given["embedding"])
    arrow = schema.arrow(dimension)
    length = len(next(iter(given.values())))
    arrays = [
        _array(given[field.name], field)
        if field.name in given
        else pa.nulls(length, field.type)
        for field in arrow
    ]
    for array, field in zip(arrays, arrow, strict=True):
        if array.null_count and not field.nullable:
            raise ValueError(f"table {kind!r}: nulls in column {field.name!r}")
    return pa.Table.from_arrays(arrays, schema=arrow)


def _dimension(embedding: Any) -> int:
    if isinstance(embedding, pa.Array | pa.ChunkedArray):
        return embedding.type.list_size
    return int(np.shape(embedding)[1])


def _array(values: Any, field: pa.Field) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        return (
            _dictionary(values, field) if _is_word(field) else values.cast(field.type)
        )
    if pa.types.is_fixed_size_list(field.type):
        flat = np.ascontiguousarray(values, dtype=np.float32).reshape(-1)
        return pa.FixedSizeListArray.from_arrays(pa.array(flat), type=field.type)
    if pa.types.is_list(field.type) and isinstance(values, np.ndarray):
        rows, width = values.shape
        offsets = np.arange(rows + 1, dtype=np.int32) * width
        flat = np.ascontiguousarray(values, dtype=np.float32).reshape(-1)
        return pa.ListArray.from_arrays(offsets, pa.array(flat), type=field.type)
    if _is_word(field):
        return _dictionary(pa.array(values, pa.string()), field)
    return pa.array(values, field.type, from_pandas=True)


def _is_word(field: pa.Field) -> bool:
    return pa.types.is_dictionary(field.type)


def _dictionary(values: pa.Array, field: pa.Field) -> pa.Array:
    """Encode afresh, so that equal rows give equal bytes."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(pa.string())
    return values.cast(pa.string()).dictionary_encode().cast(field.type)


def _check_key(kind: str, table: pa.Table) -> None:
    key = list(SCHEMAS[kind].key)
    distinct = table.select(key).group_by(key).aggregate([]).num_rows
    if distinct != table.num_rows:
        raise ValueError(
            f"table {kind!r}: {table.num_rows - distinct} rows repeat the key {key}"
        )


def _read_note(path: str | Path, kind: str) -> dict[str, Any]:
    """What a whole table of `kind` says of itself; every byte has been checked."""
    if not Path(path).exists():
        raise BakeoffError(
            str(path),
            "no such file",
            f"a table of kind {kind!r}",
            "Ask the workflow for it again.",
        )
    note, is_sealed = _parse_note(path)
    _check_note(path, kind, note, is_sealed)
    _check_names(path, note, place_of(path))
    return note


def _parse_note(path: str | Path) -> tuple[Any, bool]:
    """What a Parquet file says of itself, if anything, and whether it is sealed."""
    if not Path(path).is_file():  # Reading a FIFO or a device would never end.
        raise _damaged(path, "not a regular file")
    try:
        is_sealed = seal.is_whole(Path(path))
        metadata = pq.read_schema(path).metadata or {}
        return json.loads(metadata.get(_METADATA_KEY, b"null")), is_sealed
    except _UNREADABLE as error:
        raise _damaged(path, str(error)) from error


def _is_note(note: Any) -> bool:
    return isinstance(note, dict) and {"kind", "version", "provenance"} <= set(note)


def _check_note(path: str | Path, kind: str, note: Any, is_sealed: bool) -> None:
    if not _is_note(note):
        raise BakeoffError(
            str(path),
            "a Parquet file that bakeoff did not write",
            f"a table of kind {kind!r}",
            "Give the file that the workflow made.",
        )
    if note["kind"] != kind:
        raise BakeoffError(
            str(path),
            f"a table of kind {note['kind']!r}",
            f"a table of kind {kind!r}",
            "The two files may have been exchanged.",
        )
    if note["version"] != VERSION:
        raise BakeoffError(
            str(path),
            f"version {note['version']} of the tables",
            f"version {VERSION}",
            "It was written by another version of bakeoff: delete it and run again.",
        )
    if not is_sealed:
        raise _damaged(path, "no checksum")


def _check_names(
    path: str | Path, note: Mapping[str, Any], place: Place | None
) -> dict[str, str]:
    """Whose table it is: study, encoder and so on; BakeoffError in another's place."""
    if place is None:
        return dict(note.get("names", {}))
    said = _names_said(path, note, place.names)
    if "names" not in note:  # Written before tables named what their columns do not.
        said = {name: values or [place.names[name]] for name, values in said.items()}
    if said != {name: [value] for name, value in place.names.items()}:
        told = {name: " and ".join(values) or "none" for name, values in said.items()}
        raise BakeoffError(
            str(path),
            f"a table that says it is of {_spoken(told)}",
            f"a table of {_spoken(place.names)}",
            "Files may have been exchanged: delete this one and run again.",
        )
    return dict(place.names)


def _names_said(
    path: str | Path, note: Mapping[str, Any], names: Iterable[str]
) -> dict[str, list[str]]:
    """All values that the table gives to each name, in its metadata and its columns."""
    found: dict[str, set[str]] = {name: set() for name in names}
    for name, part in product(found, ("names", "provenance")):
        if isinstance(value := note.get(part, {}).get(name), str):
            found[name].add(value)
    held = [name for name in found if name in SCHEMAS[note["kind"]].names]
    if held:
        columns = pq.read_table(path, columns=held)
        for name in held:
            found[name] |= set(columns[name].unique().to_pylist())
    return {name: sorted(values) for name, values in found.items()}


def _spoken(names: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in names.items())


def _damaged(path: str | Path, why: str) -> BakeoffError:
    return BakeoffError(
        str(path),
        f"a damaged file ({(why.splitlines() or ['unreadable'])[0][:120]})",
        "a whole Parquet table",
        "Delete it and run again.",
    )
