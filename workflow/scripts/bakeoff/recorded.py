"""A study compared with the provenance that the workflow wrote when it ended."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff import tables
from bakeoff.checked import read_checked
from bakeoff.encoders.folder import WeightsFolder, open_folder
from bakeoff.errors import BakeoffError
from bakeoff.files import sha256_of
from bakeoff.job_records import located
from bakeoff.store import files

PROVENANCE = "provenance.json"
_KINDS = {"study": str, "tables": dict, "encoders": dict, "images": str}


@dataclass(frozen=True)
class Compared:
    """How many images and folders of weights were compared, and what differs."""

    images: int
    weights: int
    problems: list[str]


def compare_study(folder: Path, results: Path) -> Compared:
    """What differs from the provenance of the study in `folder`, below `results`."""
    manifest = folder / "manifest.parquet"
    problems = []
    if not manifest.exists():
        problems = [f"{manifest}: missing, so nothing says which images these are"]
    try:
        record = _record(folder / PROVENANCE)
    except BakeoffError as error:
        return Compared(0, 0, [*problems, str(error)])
    study, images = _Study(folder, results, record), _images(manifest)
    problems += study.problems()
    for path, image_id in images:
        place = located(record["images"], results) / path
        problems += _differs(place, image_id, "in the manifest")
    return Compared(len(images), len(record["encoders"]), problems)


def _differs(path: Path, digest: str, when: str) -> Iterator[str]:
    """A line if the file is gone, or has another SHA-256 than it had `when`."""
    try:
        if sha256_of(path) != digest:
            yield f"{path}: other bytes than {when}"
    except OSError as error:
        yield f"{path}: {(error.strerror or 'unreadable').lower()}"
    except ValueError:
        yield f"{str(path)!r}: no name that a file can have"


@dataclass(frozen=True)
class _Study:
    """A study's folder below results/, and its record."""

    folder: Path
    results: Path
    record: dict[str, Any]

    def problems(self) -> Iterator[str]:
        """One line for each thing that differs from the record."""
        if self.record["study"] != self.folder.name:
            yield f"{self.folder / PROVENANCE}: the record of study {self.record['study']}"
        for name, digest in self.record["tables"].items():
            path = located(name, self.results)
            yield from _differs(path, digest, "when the study ended")
        for name, noted in self.record["encoders"].items():
            yield from self._weights_problems(located(name, self.results), noted)

    def _weights_problems(self, folder: Path, noted: Any) -> Iterator[str]:
        try:
            weights = open_folder(folder)
            for part in weights.with_weights:
                part.verify()
        except BakeoffError as error:
            yield str(error)
            return
        if not isinstance(noted, dict) or noted.get("files") != weights.note["files"]:
            yield f"{folder}: other weights than when the study ended"
        for kind in ("embeddings", "texts"):
            for path in sorted(self.folder.glob(f"{kind}/*.parquet")):
                yield from _other_weights(path, kind, weights)


def _other_weights(path: Path, kind: str, weights: WeightsFolder) -> Iterator[str]:
    """A line if the vectors are this encoder's and come from other files."""
    try:
        origin = tables.provenance(path, kind)
    except BakeoffError:
        return  # Told already, as a table.
    is_its_own = origin["encoder"].partition("@")[0] == weights.id
    if is_its_own and files(origin["key"]) != files(weights.key(precision="fp32")):
        yield f"{path}: made from other files than those in {weights.path}"


def _record(path: Path) -> dict[str, Any]:
    """A study's record; BakeoffError where it lacks what is compared here."""
    content = read_checked(path)
    wrong = [
        key for key, kind in _KINDS.items() if not isinstance(content.get(key), kind)
    ]
    if wrong:
        raise BakeoffError(
            str(path),
            f"a record without {', '.join(wrong)}",
            f"one with {', '.join(_KINDS)}",
            "Run the workflow to its end; delete the file first where it is damaged.",
        )
    return content


def _images(manifest: Path) -> list[tuple[str, str]]:
    """(path, SHA-256) of every image; none where there is no whole manifest."""
    try:
        table = tables.read_table(manifest, "manifest", ["path", "image_id"])
    except BakeoffError:
        return []  # Told already, as a table.
    return list(
        zip(*(table[name].to_pylist() for name in ("path", "image_id")), strict=True)
    )
