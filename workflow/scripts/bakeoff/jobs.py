"""One job of the workflow: logged, run by the library beside it, and recorded.

What a job was made from is read when it begins and once more when it ends. A file that
is edited meanwhile, and even put back, therefore leaves outputs that planning knows to
be stale.
"""

import contextlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import bakeoff
from bakeoff.errors import BakeoffError
from bakeoff.files import sha256_of
from bakeoff.logs import logged
from bakeoff.records import (
    UNSETTLED,
    Record,
    content_hash,
    portable,
    read_record,
    record_path,
    write_record,
)

_CODE, _LIBRARIES = "code", "libraries"


@contextlib.contextmanager
def job(
    *,
    log: str,
    inputs: Iterable[str],
    outputs: Iterable[str],
    params: Mapping[str, Any],
    scripts: str,
) -> Iterator[None]:
    """Run the block as a job; a record of what its outputs were made from is left.

    log: the file that takes what is printed. params: among them `code`, the files that
    the job depends on with their hashes, and `libraries`, the names of libraries that
    its numbers depend on; all others are its settings. scripts: the folder of the
    script, beside which the library must lie. Status 1 as `logged`, where the library
    is another one, or where inputs of one kind were made by different versions of it.
    """
    with logged(log):
        home = Path(scripts).resolve()
        outputs, params = list(outputs), dict(params.items())
        refuse_other_library(Path(bakeoff.__file__).resolve().parent, home)
        refuse_mixed_libraries(inputs := list(inputs))
        record_path(outputs[0]).unlink(missing_ok=True)
        began = made_from(inputs, outputs, params, home)
        yield
        write_record(
            settled(began, made_from(inputs, outputs, params, home)), outputs[0]
        )


def made_from(
    inputs: Iterable[str], outputs: Iterable[str], params: Mapping[str, Any], home: Path
) -> Record:
    """What a job is made from at this moment; `home` is the folder of the scripts."""
    root = home.parents[1]
    settings = {k: v for k, v in params.items() if k not in (_CODE, _LIBRARIES)}
    return Record(
        script=params[_CODE].partition("@")[0],
        settings=portable(settings, root),
        code=code_hashes(params[_CODE], home),
        libraries=library_versions(params[_LIBRARIES]),
        inputs=_hashes(inputs, root),
        outputs=_hashes(outputs, root),
    )


def settled(began: Record, ended: Record) -> Record:
    """The record at a job's end, where it says what changed since its beginning."""

    def both(first: dict[str, str], last: dict[str, str]) -> dict[str, str]:
        return {
            name: last[name] if first.get(name, last[name]) == last[name] else UNSETTLED
            for name in last
        }

    return Record(
        script=ended.script,
        settings=ended.settings,
        code=both(began.code, ended.code),
        libraries=both(began.libraries, ended.libraries),
        inputs=both(began.inputs, ended.inputs),
        outputs=ended.outputs,
    )


def code_hashes(planned: str, home: Path) -> dict[str, str]:
    """Hashes of the files that were planned, and of every local module that is loaded.

    `planned` is `file@hash file@hash ...`. A file that is gone counts as unsettled.
    """
    names = {word.rpartition("@")[0] for word in planned.split()}
    for module in list(sys.modules.values()):
        path = Path(getattr(module, "__file__", None) or "/")
        if path.is_relative_to(home):
            names.add(path.relative_to(home).as_posix())
    return {name: _short_hash(home / name) for name in sorted(names)}


def library_versions(names: str) -> dict[str, str]:
    """Version of each of these distributions, given as `name==version name`."""
    plain = [word.partition("==")[0] for word in names.split()]
    return {name: version(name) for name in plain}


def refuse_other_library(library: Path, home: Path) -> None:
    """Raise BakeoffError where the library that runs does not lie beside the scripts."""
    if library.parent != home:
        raise BakeoffError(
            "this job",
            f"the library in {library}",
            f"the one beside the script, in {home / library.name}",
            "Take the other folder off PYTHONPATH, or run `make env` in this folder.",
        )


def refuse_mixed_libraries(inputs: Iterable[str]) -> None:
    """Raise BakeoffError where tables of one kind were made by different versions.

    Of one kind is what the same script made.
    """
    first: dict[tuple[str, str], tuple[str, str]] = {}
    for path in inputs:
        record = read_record(path)
        for name, found in (record.libraries if record else {}).items():
            kind = record.script if record else ""
            other, expected = first.setdefault((kind, name), (path, found))
            if found != expected:
                raise BakeoffError(
                    path,
                    f"a table made with {name} {found}",
                    f"{name} {expected}, as {other} was made with",
                    "Run the workflow again: it makes the older one again.",
                )


def _hashes(paths: Iterable[str], root: Path) -> dict[str, str]:
    found = {str(path): content_hash(path) for path in paths}
    return {portable(p, root): digest for p, digest in found.items() if digest}


def _short_hash(path: Path) -> str:
    """As `code_version` gives it."""
    try:
        return sha256_of(path)[:8]
    except OSError:
        return UNSETTLED
