"""Everything under results/ hashed again, and what does not match.

1. Every table is read whole and compared with the checksum that it carries.
2. Every table that a study's provenance names has the bytes that it had then.
3. Every file of the weights has the SHA-256 that its encoder.json states, and
   embeddings were made from these very files.
4. Every image of a manifest still has the bytes that it is named by.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff import tables
from bakeoff.encoders.folder import WeightsFolder, open_folder
from bakeoff.errors import BakeoffError
from bakeoff.images import sha256_of
from bakeoff.store import files


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

    Paths that the records name are taken from the folder around it, where the workflow
    ran. Raises BakeoffError where `results` is no such folder.
    """
    if not results.is_dir():
        raise BakeoffError(
            str(results), "no such folder", "the folder results/", "Name it."
        )
    # Hidden ones are what killed jobs left of tables that they were writing.
    paths = sorted(results.rglob("[!.]*.parquet"))
    problems = [line for path in paths for line in _table_problems(path)]
    images = folders = 0
    for path in sorted(results.glob("*/manifest.parquet")):
        record = path.with_name("provenance.json")
        try:
            content = _record(record)
        except BakeoffError as error:
            problems.append(str(error))
            continue
        study = _Study(results.resolve().parent, path.parent, content)
        images += len(content["_images"])
        folders += len(content["encoders"])
        problems += study.problems()
    return Verification(len(paths), images, folders, problems)


@dataclass(frozen=True)
class _Study:
    """A study's folder, what its record says, and the folder that the paths are from."""

    place: Path
    folder: Path
    record: dict[str, Any]

    def problems(self) -> Iterator[str]:
        """One line for each thing that differs from the record."""
        for name, digest in self.record["tables"].items():
            yield from _differs(self.place / name, digest, "when the study ended")
        for name in self.record["encoders"]:
            yield from self._weights_problems(self.place / name)
        images = self.place / self.record["images"]
        for path, digest in self.record["_images"]:
            yield from _differs(images / path, digest, "in the manifest")

    def _weights_problems(self, folder: Path) -> Iterator[str]:
        try:
            weights = open_folder(folder)
            weights.verify()
        except BakeoffError as error:
            yield str(error)
            return
        for path in sorted(self.folder.glob("embeddings/*.parquet")):
            yield from _other_weights(path, weights)


def _table_problems(path: Path) -> Iterator[str]:
    try:
        tables.kind_of(path)
    except BakeoffError as error:
        yield str(error)


def _differs(path: Path, digest: str, when: str) -> Iterator[str]:
    try:
        if sha256_of(path) != digest:
            yield f"{path}: other bytes than {when}"
    except OSError as error:
        yield f"{path}: {(error.strerror or 'unreadable').lower()}"
    except ValueError:
        yield f"{str(path)!r}: no name that a file can have"


def _other_weights(path: Path, weights: WeightsFolder) -> Iterator[str]:
    """A line if the embeddings are this encoder's and come from other files."""
    try:
        origin = tables.provenance(path, "embeddings")
    except BakeoffError:
        return  # Told already, as a table.
    is_its_own = origin["encoder"].partition("@")[0] == weights.id
    if is_its_own and files(origin["key"]) != files(weights.key(precision="fp32")):
        yield f"{path}: made from other files than those in {weights.path}"


def _record(path: Path) -> dict[str, Any]:
    """A study's provenance, with `_images`: (path, SHA-256) of those of its manifest."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        _check_kinds(content)
        manifest = tables.read_table(path.with_name("manifest.parquet"), "manifest")
    except (OSError, ValueError) as error:
        if isinstance(error, BakeoffError):
            raise
        raise BakeoffError(
            str(path),
            f"no readable record ({error})",
            "the record that the workflow writes last",
            "Run the workflow to its end; until then only tables are compared.",
        ) from error
    ids, files = (manifest.column(name).to_pylist() for name in ("image_id", "path"))
    return content | {"_images": list(zip(files, ids, strict=True))}


def _check_kinds(content: Any) -> None:
    """Raise ValueError where the record lacks what is compared here."""
    if not isinstance(content, dict):
        raise ValueError(f"a {type(content).__name__}")
    kinds = {"tables": dict, "encoders": dict, "images": str}
    wrong = [
        key for key, kind in kinds.items() if not isinstance(content.get(key), kind)
    ]
    if wrong:
        raise ValueError(f"without {', '.join(wrong)}")
