"""Everything under results/ hashed again, and what does not match.

1. Every table is whole, and is the table that its path says: kind, study, encoder and
   so on. This needs no record, so it holds for a study that is not finished, too.
2. Every index has its files as they were built, from the tables as they are now.
3. Every study has a manifest, and a record of how it ended, which is the study's own.
4. Tables, figures, printed tables and the page have the bytes that the record names; a
   page is no longer current where one of its tables differs.
5. Every file of the weights has the SHA-256 that encoder.json and the record state, and
   embeddings of images and texts were made from these very files.
6. Every image of a manifest still has the bytes that it is named by.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bakeoff import tables
from bakeoff.errors import BakeoffError, listed
from bakeoff.places import place_of
from bakeoff.recorded import RECORD, compare_study, differs, located
from bakeoff.records import read_record


@dataclass(frozen=True)
class Verification:
    """How many things were compared, and each one that does not match, in a line."""

    tables: int
    images: int
    weights: int
    problems: list[str]

    def text(self) -> str:
        """What to print."""
        looked = (
            f"{self.tables} tables, {self.images} images and {self.weights} folders of "
            "weights hashed"
        )
        if not self.problems:
            return f"{looked}: everything matches"
        lines = [f"  {problem}" for problem in self.problems]
        return "\n".join([f"{looked}: {len(lines)} do not match", *lines])


def verify(results: Path) -> Verification:
    """What matches below `results`, the folder that the workflow wrote.

    Paths below results/ that the records name are taken from this folder, all others
    from the folder around it, where the workflow ran. Raises BakeoffError where
    `results` is no such folder: where no table lies in its place.
    """
    found = sorted(_files(results))
    paths = [path for path in found if path.suffix == ".parquet"]
    places = [place for path in paths if (place := place_of(path, results))]
    records = {path.parent for path in found if path.name == RECORD}
    names = {place.names["study"] for place in places if "study" in place.names}
    studies = {results / name for name in names} | {
        folder for folder in records if folder.parent == results
    }
    if not places and not studies:
        raise _unrelated(results)
    problems = [line for path in paths for line in _table_problems(path, results)]
    for path in found:
        if path.name == "index.json" and path.parent.parent.name == "index":
            problems += _index_problems(path, results)
    compared = [compare_study(folder, results) for folder in sorted(studies)]
    return Verification(
        len(paths),
        sum(study.images for study in compared),
        sum(study.weights for study in compared),
        problems + [line for study in compared for line in study.problems],
    )


def _files(results: Path) -> Iterator[Path]:
    """Files that are not hidden, links followed, each folder once.

    Hidden ones are what killed jobs left of tables that they were writing.
    """
    seen: set[str] = set()
    for folder, names, found in os.walk(results, followlinks=True):
        if (place := os.path.realpath(folder)) in seen:
            names.clear()
            continue
        seen.add(place)
        names[:] = [name for name in names if name[0] != "."]
        yield from (Path(folder, name) for name in found if name[0] != ".")


def _unrelated(results: Path) -> BakeoffError:
    received = "a folder without any table of bakeoff in its place"
    return BakeoffError(
        str(results),
        received if results.is_dir() else "no such folder",
        "the folder results/ of a workflow, which holds a folder for every study",
        "Give the path of that folder.",
    )


def _table_problems(path: Path, results: Path) -> Iterator[str]:
    """A line for what is no whole table, or no table of its place."""
    try:
        tables.describe(path, results)
    except BakeoffError as error:
        yield str(error)


def _index_problems(path: Path, results: Path) -> Iterator[str]:
    """Lines for an index that is another encoder's, damaged or out of date."""
    try:
        note = read_record(path)
        encoder, built, sources = (
            note[name] for name in ("encoder", "files", "tables")
        )
    except BakeoffError as error:
        yield str(error)
        return
    except KeyError as error:
        yield f"{path}: does not say its {error}: ask the workflow for the index again"
        return
    if encoder != path.parent.name:
        yield f"{path}: an index of {encoder} in the place of {path.parent.name}"
    for name, digest in built.items():
        yield from differs(path.with_name(name), digest, "when the index was built")
    changed = [
        name
        for name, digest in sources.items()
        if any(differs(located(name, results), digest, ""))
    ]
    if changed:
        yield f"{path}: out of date: built from other bytes of {listed(changed)}"
