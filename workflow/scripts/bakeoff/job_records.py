"""Outputs of jobs compared with the records that the jobs left beside them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from bakeoff.errors import listed
from bakeoff.places import place_of
from bakeoff.records import Record, content_hash, read_record, record_path

_FOLDERS = ("figures", "tables", "prompt_lab")


def job_problems(found: Sequence[Path], results: Path) -> Iterator[str]:
    """Lines for outputs that are changed, out of date, or without a record.

    found: all files below `results`.
    """
    covered: set[Path] = set()
    for path in found:
        if path.name.endswith(".record.json") and path.name[0] == ".":
            first = path.with_name(path.name[1:].removesuffix(".record.json"))
            record = read_record(first)
            covered |= {first} if record is None else _outputs(record, results).keys()
            yield from _record_problems(first, record, results)
    for path in sorted({made for p in found if (made := _made(p, results))} - covered):
        yield f"{path}: nothing says what it was made from"


def located(name: str, results: Path) -> Path:
    """Where a file lies that a record names, as seen from where the workflow ran."""
    parts = Path(name).parts
    if "results" in parts and not Path(name).is_absolute():
        return results.joinpath(*parts[parts.index("results") + 1 :])
    return results.resolve().parent / name


def _outputs(record: Record, results: Path) -> dict[Path, str]:
    return {located(name, results): made for name, made in record.outputs.items()}


def _record_problems(
    first: Path, record: Record | None, results: Path
) -> Iterator[str]:
    if record is None:
        yield f"{record_path(first)}: a damaged record"
        return
    for path, made in _outputs(record, results).items():
        if (now := content_hash(path)) != made:
            yield f"{path}: {'other content than its job wrote' if now else 'missing'}"
    changed = [
        name
        for name, before in record.inputs.items()
        if content_hash(located(name, results)) not in (None, before)
    ]
    if changed:
        yield f"{first}: out of date: made from other content of {listed(changed)}"


def _made(path: Path, results: Path) -> Path | None:
    """What a job must have made: the file itself, or the index that it is a part of."""
    study, *rest = path.relative_to(results).parts
    if path.name[0] == "." or study == "store" or not rest:
        return None
    if rest[0] == "index":
        return results.joinpath(study, *rest[:2])
    is_printed = study == "across" or rest[0] in (*_FOLDERS, "summary.html")
    return path if is_printed or place_of(path, results) else None
