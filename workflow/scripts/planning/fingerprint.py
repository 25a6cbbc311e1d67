"""One short string for the content of a folder of images, to notice every change.

Thousands of images are never inputs of a rule; this string is a parameter of the one
rule that lists them. Files are hashed once: size, time stamps and inode tell whether a
file may have changed, and only then is it read again. The time of the last change of the
inode, which no program can set, is among them: a file that was written over and given its
old time stamp is read too. A copy or a fresh checkout gives the same string.

Only regular files are opened: reading a FIFO or a device would never end.
"""

import csv
import hashlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path


def fingerprint(
    folder: Path,
    listing: Path | None = None,
    cache: Path | None = None,
    *,
    hidden: bool = False,
) -> str:
    """`<n> files <hash>` of the names and contents below `folder`, or of its changes.

    Links are followed. A folder that has been met before, under another name or as a
    folder around the link, counts as one entry that names its first place. What is
    neither file nor folder counts by its name alone. Names that begin with a dot are
    passed over unless `hidden`, which a file of labels asks for: it may name them.
    With `listing`, a CSV of path and sha256 written by the rule that makes the images,
    it is `as made` while the folder is as that rule left it (or is not there yet), and
    names the differences by hash otherwise. `cache` is an SQLite file of known hashes;
    it saves time and may be deleted. A missing folder without listing gives `missing`.
    """
    if not folder.is_dir():
        return "as made" if listing else "missing"
    found = dict(_hashes(folder, cache, hidden))
    if listing is None:
        return f"{len(found)} files {_digest(found)}"
    made = _read_listing(listing) if listing.is_file() else found
    changes = {
        path: found.get(path, "gone")
        for path in found.keys() | made.keys()
        if found.get(path) != made.get(path)
    }
    return f"{len(changes)} changes {_digest(changes)}" if changes else "as made"


def _digest(entries: dict[str, str]) -> str:
    lines = "\0".join(f"{path}\0{entries[path]}" for path in sorted(entries))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _read_listing(listing: Path) -> dict[str, str]:
    with listing.open(newline="", encoding="utf-8") as file:
        return {row["path"]: row["sha256"] for row in csv.DictReader(file)}


def _hashes(
    folder: Path, cache: Path | None, hidden: bool
) -> Iterator[tuple[str, str]]:
    """(path relative to `folder`, SHA-256 or what stands for it) of every entry."""
    known = _Known(cache)
    with closing(known):
        for path, first in _entries(folder, hidden):
            name = path.relative_to(folder).as_posix()
            yield name, known.hash(path) if first is None else f"folder {first}"


def _entries(folder: Path, hidden: bool) -> Iterator[tuple[Path, str | None]]:
    """Every file with None; every folder met before with its first place.

    Each folder is walked once, so that links to one another cannot multiply.
    """
    first: dict[str, str] = {}
    for directory, names, files in os.walk(folder, followlinks=True):
        place = os.path.realpath(directory)
        here = Path(directory).relative_to(folder).as_posix()
        if place in first:
            names.clear()
            yield Path(directory), first[place]
            continue
        first[place] = here
        names[:] = sorted(name for name in names if hidden or name[0] != ".")
        for name in sorted(files):
            if hidden or name[0] != ".":
                yield Path(directory, name), None


class _Known:
    """Hashes of files by (path, size, times of modification and change, inode)."""

    def __init__(self, cache: Path | None) -> None:
        self._database = self._open(cache) if cache else None

    @staticmethod
    def _open(cache: Path) -> sqlite3.Connection | None:
        # Only a saving of time: where it cannot be kept, files are read again.
        with suppress(OSError, sqlite3.Error):
            cache.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(cache, timeout=10)
            database.execute(
                "CREATE TABLE IF NOT EXISTS hashes"
                " (path TEXT PRIMARY KEY, stat TEXT, sha256 TEXT)"
            )
            return database
        return None

    def hash(self, path: Path) -> str:
        try:
            status = path.stat()
        except OSError:  # a dangling link: the manifest will name it
            return "unreadable"
        if not stat.S_ISREG(status.st_mode):
            return "not a regular file"
        times = f"{status.st_mtime_ns} {status.st_ctime_ns}"
        state = f"{status.st_size} {times} {status.st_ino}"
        place = os.fsencode(path.absolute()).hex()
        known = self._look_up(place)
        if known and known[0] == state:
            return known[1]
        sha256 = _sha256(path)
        self._store(place, state, sha256)
        return sha256

    def _look_up(self, place: str) -> tuple[str, str] | None:
        if self._database is None:
            return None
        with suppress(sqlite3.Error):
            return self._database.execute(
                "SELECT stat, sha256 FROM hashes WHERE path = ?", (place,)
            ).fetchone()
        return None

    def _store(self, place: str, state: str, sha256: str) -> None:
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.execute(
                    "INSERT OR REPLACE INTO hashes VALUES (?, ?, ?)",
                    (place, state, sha256),
                )

    def close(self) -> None:
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.commit()
            self._database.close()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError:
        return "unreadable"
    return digest.hexdigest()
