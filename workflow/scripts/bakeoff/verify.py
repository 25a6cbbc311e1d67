"""Everything under results/ hashed again, and what does not match.

1. Every table is whole, and is the table that its path says: kind, study, encoder and
   so on. This needs no record, so it holds for a study that is not finished, too.
2. Every table, page, printed table, figure and index is as its job left it, and made
   from what its inputs are now: the record beside it says so.
3. Every study has a manifest, and a provenance of its own, unchanged.
4. Tables are those of the end of the study, and so are the weights: every file has the
   SHA-256 that encoder.json and the provenance state, and embeddings of images and texts
   were made from these very files.
5. Every image of a manifest still has the bytes that it is named by.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bakeoff import tables
from bakeoff.errors import BakeoffError
from bakeoff.job_records import job_problems
from bakeoff.places import place_of
from bakeoff.recorded import PROVENANCE, compare_study


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
    paths = [p for p in found if p.suffix == ".parquet" and p.name[0] != "."]
    places = [place for path in paths if (place := place_of(path, results))]
    notes = {
        p.parent for p in found if p.name == PROVENANCE and p.parents[1] == results
    }
    names = {place.names["study"] for place in places if "study" in place.names}
    studies = sorted(notes | {results / name for name in names})
    if not places and not studies:
        raise _unrelated(results)
    compared = [compare_study(folder, results) for folder in studies]
    return Verification(
        len(paths),
        sum(study.images for study in compared),
        sum(study.weights for study in compared),
        [
            *(line for path in paths for line in _table_problems(path, results)),
            *job_problems(found, results),
            *(line for study in compared for line in study.problems),
        ],
    )


def _files(results: Path) -> Iterator[Path]:
    """All files, links followed, each folder that is not hidden once."""
    seen: set[str] = set()
    for folder, names, found in os.walk(results, followlinks=True):
        if (place := os.path.realpath(folder)) in seen:
            names.clear()
            continue
        seen.add(place)
        names[:] = [name for name in names if name[0] != "."]
        yield from (Path(folder, name) for name in found)


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
