"""What a job's outputs were made from, written by the job itself beside the first of them.

A record holds the job's settings, the hashes of the code that ran, the versions of the
libraries that its numbers depend on, and the hashes of its inputs and outputs. Planning
compares it with today's: whatever time stamps say, and whether or not the workflow
engine still has its own notes, an output is current exactly where nothing differs.
Paths are those from the working directory, or from the folder of the code, so that
results which are copied elsewhere stay current.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bakeoff import seal
from bakeoff.files import atomic_path, sha256_of

# What stands in place of a hash where a file changed while the job ran: equal to none.
UNSETTLED = "changed while the job ran"

_FORMAT = 1


@dataclass(frozen=True)
class Record:
    """What the outputs of one job were made from."""

    script: str  # what ran
    settings: dict[str, Any]  # the job's parameters, by name
    code: dict[str, str]  # hash of every local file that ran, by path
    libraries: dict[str, str]  # version by name
    inputs: dict[str, str]  # content hash by path
    outputs: dict[str, str]


def record_path(output: str | Path) -> Path:
    """Where the record of the job lies whose first output is `output`."""
    output = Path(output)
    return output.with_name(f".{output.name}.record.json")


def write_record(record: Record, output: str | Path) -> None:
    """Write the record of the job whose first output is `output`, atomically."""
    content = {"format": _FORMAT, **asdict(record)}
    with atomic_path(record_path(output)) as temporary:
        temporary.write_text(json.dumps(content, sort_keys=True), encoding="utf-8")


def read_record(output: str | Path) -> Record | None:
    """The record of the job whose first output is `output`.

    None where there is none, or where it is damaged or of another format: what an
    output was made from is then unknown.
    """
    try:
        content = json.loads(record_path(output).read_text(encoding="utf-8"))
        if content.pop("format") != _FORMAT:
            return None
        record = Record(**content)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return record if _is_sound(record) else None


def _is_sound(record: Record) -> bool:
    by_name = (record.code, record.libraries, record.inputs, record.outputs)
    return isinstance(record.settings, dict) and all(
        isinstance(hashes, dict) and all(isinstance(v, str) for v in hashes.values())
        for hashes in by_name
    )


def portable(value: Any, code: Path) -> Any:
    """`value` with the folder of the code left out of every path in it."""
    if isinstance(value, str):
        return value.replace(f"{code}/", "")
    if isinstance(value, Mapping):
        return {portable(key, code): portable(v, code) for key, v in value.items()}
    if isinstance(value, list | tuple | set):
        return [portable(item, code) for item in value]
    return value


def content_hash(
    path: str | Path, of_file: Callable[[Path], str] | None = None
) -> str | None:
    """A hash of what is at `path`; None where nothing is.

    Of a table it is the checksum that the table states of itself, which costs no
    reading: `is_damaged` checks it. Of any other file it is the SHA-256, of a folder
    that of the names and hashes of the files in it that are not hidden. `of_file` takes
    the place of the first two.
    """
    path, of_file = Path(path), of_file or _file_hash
    if path.is_dir():
        # Snakemake leaves a hidden time stamp in the folders that jobs make.
        names = sorted(p for p in path.rglob("*") if p.is_file() and p.name[0] != ".")
        lines = (f"{p.relative_to(path).as_posix()}\0{of_file(p)}" for p in names)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return of_file(path) if path.is_file() else None


def _file_hash(path: Path) -> str:
    return (path.suffix == ".parquet" and seal.stated(path)) or sha256_of(path)


def is_damaged(path: str | Path) -> bool:
    """Whether a table's bytes contradict its checksum; False for any other file."""
    try:
        if Path(path).suffix == ".parquet":
            seal.is_whole(Path(path))
    except (OSError, ValueError):
        return True
    return False
