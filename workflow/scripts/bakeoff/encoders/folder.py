"""What a weights folder says of its encoder, read without loading any model.

`encoder.json` names the loader and the files with their SHA-256. The key of the vectors
is made here from it, so that a job with nothing left to encode never imports torch.
"""

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bakeoff.encoders.compose import COMPOSED
from bakeoff.encoders.loaders import LIBRARIES
from bakeoff.encoders.parts import part_problems
from bakeoff.errors import BakeoffError
from bakeoff.files import sha256_of
from bakeoff.safety import refuse_code, refuse_unlisted

# Raised by hand when a change of this package, of `images` or of `extract` changes
# vectors by more than rounding: then everything is encoded again.
NUMERICS = 1

# Versions of the libraries that turn files and weights into vectors, by loader.
_COMMON = ("pillow", "torch", "torchvision")
# Small files that no one lists and that still change what a model does.
_BEHAVIOUR = (".json", ".model", ".txt", ".gz", ".jinja")
# What every encoder.json holds.
_KINDS = {
    "id": str,
    "loader": str,
    "files": dict,
    "resolution": int | str,
    "dimension": int,
}


@dataclass(frozen=True)
class WeightsFolder:
    """A self-contained folder: weights, configuration, tokenizer and `encoder.json`."""

    path: Path
    note: dict[str, Any]

    @property
    def id(self) -> str:
        """Name of the encoder."""
        return str(self.note["id"])

    @property
    def loader(self) -> str:
        """Which library reads the files."""
        return str(self.note["loader"])

    @property
    def files(self) -> dict[str, str]:
        """SHA-256 of every file that has a say in the vectors, by name."""
        listed = dict(self.note["files"])
        for path in sorted(self.path.iterdir()):
            small = path.suffix in _BEHAVIOUR and path.name != "encoder.json"
            # No library reads a hidden file; the record of a job is one.
            if small and path.name not in listed and path.name[0] != ".":
                listed[path.name] = sha256_of(path)
        return dict(sorted(listed.items()))

    def key(self, *, precision: str, resolution: int | None = None) -> dict[str, Any]:
        """Everything that defines the vectors of this folder, JSON-able.

        Equal keys mean equal vectors to rounding: the files' hashes (weights,
        preprocessing, tokenizer), resolution, precision, the version of this code and
        of the libraries, to the minor version.
        """
        if resolution == self.note["resolution"]:
            resolution = None
        if self.loader == "derived":
            return self._derived_key(precision, resolution)
        libraries = (*_COMMON, *LIBRARIES[self.loader])
        return {
            "loader": self.loader,
            "files": self.files,
            "resolution": resolution or self.note["resolution"],
            "precision": precision,
            "numerics": NUMERICS,
            "libraries": {
                name: ".".join(version(name).split("+")[0].split(".")[:2])
                for name in libraries
            },
        }

    @property
    def parts(self) -> list[tuple[Path, int | None]]:
        """Folders and resolutions of what a derived encoder is made of."""
        return [
            (self.path / part["folder"], part["resolution"])
            for part in self.note.get("parts", [])
        ]

    @property
    def is_composed(self) -> bool:
        """Whether its vectors follow from those of its parts."""
        return self.loader == "derived" and self.note["kind"] in COMPOSED

    @property
    def with_weights(self) -> "list[WeightsFolder]":
        """This folder, or where it is derived, all that lie behind it, each once."""
        if self.loader != "derived":
            return [self]
        found = [w for path, _ in self.parts for w in open_folder(path).with_weights]
        return list({folder.path.resolve(): folder for folder in found}.values())

    def _derived_key(self, precision: str, resolution: int | None) -> dict[str, Any]:
        return {
            "loader": "derived",
            "kind": self.note["kind"],
            "tiles": self.note["tiles"],
            "parts": [
                open_folder(path).key(precision=precision, resolution=own or resolution)
                for path, own in self.parts
            ],
            "numerics": NUMERICS,
            "precision": precision,
        }

    def verify(self) -> None:
        """Compare every listed file with its SHA-256, and look for what must not be there.

        Raises BakeoffError naming all files that are missing or differ, weights that
        are not listed, and whatever could run code (`safety`).
        """
        wrong = []
        for name, digest in self.note["files"].items():
            path = self.path / name
            if not path.is_file():
                wrong.append(f"{name} is missing")
            elif sha256_of(path) != digest:
                wrong.append(f"{name} differs from its SHA-256 in encoder.json")
        if wrong:
            raise BakeoffError(
                str(self.path),
                "; ".join(wrong),
                "the files that encoder.json lists",
                "Delete the folder and fetch the weights again.",
            )
        refuse_unlisted(self.path, self.note["files"])
        refuse_code(self.path)


def open_folder(path: str | Path) -> WeightsFolder:
    """The weights folder at `path`; raises BakeoffError where it is none."""
    path = Path(path)
    try:
        note = json.loads((path / "encoder.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BakeoffError(
            str(path / "encoder.json"),
            f"no readable description ({error})",
            "a weights folder with encoder.json",
            "Fetch the weights, or check the encoder's folder in the catalogue.",
        ) from error
    if wrong := _problems(note) or part_problems(path, note):
        raise BakeoffError(
            str(path / "encoder.json"),
            "; ".join(wrong),
            f"id, files, resolution, dimension and a loader of {sorted(LIBRARIES)}",
            "Fetch the weights again.",
        )
    return WeightsFolder(path, note)


def _problems(note: Any) -> list[str]:
    """What makes a note no description of an encoder, in words."""
    if not isinstance(note, dict):
        return [f"a {type(note).__name__}"]
    wrong = [f"no {key}" for key in _KINDS if key not in note]
    wrong += [
        f"{key} {note[key]!r:.60}"
        for key, kind in _KINDS.items()
        if key in note and not isinstance(note[key], kind)
    ]
    if isinstance(note.get("loader"), str) and note["loader"] not in LIBRARIES:
        wrong.append(f"loader {note['loader']!r:.60}")
    if isinstance(note.get("files"), dict):
        # Plain names only: nothing outside the folder is ever part of an encoder.
        wrong += [f"file {n!r:.60}" for n in note["files"] if not _is_plain(n)]
    return wrong


def _is_plain(name: str) -> bool:
    return name == Path(name).name and name.isprintable() and len(name.encode()) < 256
