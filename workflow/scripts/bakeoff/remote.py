"""What a repository on the hub holds, taken from the hub's listing and checked.

A listing comes from a server, or from whatever stands in for it, and decides what is
written to disk: so its form, its hashes and its names are checked before anything is.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from jsonschema import Draft202012Validator

from bakeoff.errors import BakeoffError, listed
from bakeoff.files import sha256_of

# The longest name that a file can have, in bytes, on the file systems in use.
MOST_BYTES = 255


def _hex(digits: int) -> dict[str, str]:
    return {"type": "string", "pattern": rf"\A[0-9a-f]{{{digits}}}\Z"}


_SIBLING = {
    "type": "object",
    "required": ["rfilename", "size"],
    "properties": {
        "rfilename": {"type": "string", "minLength": 1},
        "size": {"type": "integer", "minimum": 0},
        "blobId": _hex(40),
        "lfs": {
            "type": ["object", "null"],
            "required": ["sha256"],
            "properties": {"sha256": _hex(64)},
        },
    },
    "anyOf": [{"required": ["blobId"]}, {"required": ["lfs"]}],
}
_LISTING = Draft202012Validator(
    {
        "type": "object",
        "required": ["sha", "siblings"],
        "properties": {
            "sha": _hex(40),
            "siblings": {"type": "array", "items": _SIBLING},
        },
    }
)


@dataclass(frozen=True)
class RemoteFile:
    """One file of a repository at one commit.

    size: in bytes. sha256: of its bytes, stated for large files; blob_id: git's SHA-1,
    stated for the others.
    """

    repo: str
    revision: str
    name: str
    size: int
    sha256: str | None
    blob_id: str | None

    def sha256_at(self, path: Path) -> str | None:
        """SHA-256 of the file at `path` if it has the bytes of this one; else None."""
        if not path.is_file() or path.stat().st_size != self.size:
            return None
        if self.sha256:
            return self.sha256 if sha256_of(path) == self.sha256 else None
        data = path.read_bytes()
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        return hashlib.sha256(data).hexdigest() if blob == self.blob_id else None


def remote_files(repo: str, answer: bytes) -> list[RemoteFile]:
    """The files at the top of a repository, from the hub's answer.

    Files in subfolders are left out: no encoder needs any, and a plain name cannot lead
    out of the folder that it is written to.
    Raises BakeoffError where the answer is no listing, or names what no file is called.
    """
    listing = _parsed(repo, answer)
    siblings = listing["siblings"]
    if wrong := [s["rfilename"] for s in siblings if not _is_path(s["rfilename"])]:
        raise BakeoffError(
            f"{repo}, the list of its files",
            f"names that no file can have: {listed(map(_shown, wrong))}",
            f"relative names of printable characters, at most {MOST_BYTES} bytes each",
            "Check the entry's `hub`, and the mirror in HF_ENDPOINT if there is one.",
        )
    return [
        RemoteFile(
            repo,
            listing["sha"],
            sibling["rfilename"],
            sibling["size"],
            (sibling.get("lfs") or {}).get("sha256"),
            sibling.get("blobId"),
        )
        for sibling in siblings
        if "/" not in sibling["rfilename"]
    ]


def _parsed(repo: str, answer: bytes) -> dict[str, Any]:
    """The listing, of the form that `_LISTING` describes."""
    try:
        listing = json.loads(answer)
        problems = [*_problems(listing)]
    except (ValueError, RecursionError):
        listing, problems = {}, [f"no JSON: {answer[:60]!r}"]
    if problems:
        raise BakeoffError(
            f"{repo}, the list of its files",
            listed(problems, most=3),
            "the hub's listing: a commit, and a name, size and hash for every file",
            "Check the network (does a login page or proxy answer?), and the mirror in "
            "HF_ENDPOINT if there is one; then run again.",
        )
    return listing


def _problems(listing: object) -> Iterator[str]:
    for error in _LISTING.iter_errors(listing):
        yield f"{error.json_path}: {error.message[:100]}"


def _is_path(name: str) -> bool:
    """Whether a file of a repository can have this name, control characters aside."""
    parts = PurePosixPath(name).parts
    return (
        name == "/".join(parts)
        and ".." not in parts
        and not any(ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF for c in name)
        and all(len(part.encode()) <= MOST_BYTES for part in parts)
    )


def _shown(name: str) -> str:
    return repr(name) if len(name) <= 60 else f"{name[:60]!r}... ({len(name)} long)"
