"""One short string for the content of a folder of images, to notice every change.

Thousands of images are never inputs of a rule; this string is a parameter of the one
rule that lists them. Files are hashed once: size, time stamps and inode tell whether a
file may have changed, and only then is it read again. The time of the last change of the
inode, which no program can set, is among them: a file that was written over and given its
old time stamp is read too. A copy or a fresh checkout gives the same string.
"""

import csv
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path


def fingerprint(
    folder: Path, listing: Path | None = None, cache: Path | None = None
) -> str:
    """`<n> files <hash>` of the names and contents below `folder`, or of its changes.

    With `listing`, a CSV of path and sha256 written by the rule that makes the images,
    it is `as made` while the folder is as that rule left it (or is not there yet), and
    names the differences by hash otherwise. `cache` is an SQLite file of known hashes;
    it saves time and may be deleted. A missing folder without listing gives `missing`.
    """
    if not folder.is_dir():
        return "as made" if listing else "missing"
    found = dict(_hashes(folder, cache))
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


def _hashes(folder: Path, cache: Path | None) -> Iterator[tuple[str, str]]:
    """(path relative to `folder`, SHA-256) of every file that is not hidden."""
    known = _Known(cache)
    with closing(known):
        for path in _files(folder):
            yield path.relative_to(folder).as_posix(), known.hash(path)


def _files(folder: Path) -> Iterator[Path]:
    """Every file that is not hidden; linked folders are followed once each."""
    seen: set[str] = set()
    for directory, names, files in os.walk(folder, followlinks=True):
        if (place := os.path.realpath(directory)) in seen:
            names.clear()
            continue
        seen.add(place)
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(directory, name)


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
        times = f"{status.st_mtime_ns} {status.st_ctime_ns}"
        stat = f"{status.st_size} {times} {status.st_ino}"
        place = os.fsencode(path.absolute()).hex()
        known = self._look_up(place)
        if known and known[0] == stat:
            return known[1]
        sha256 = _sha256(path)
        self._store(place, stat, sha256)
        return sha256

    def _look_up(self, place: str) -> tuple[str, str] | None:
        if self._database is None:
            return None
        with suppress(sqlite3.Error):
            return self._database.execute(
                "SELECT stat, sha256 FROM hashes WHERE path = ?", (place,)
            ).fetchone()
        return None

    def _store(self, place: str, stat: str, sha256: str) -> None:
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.execute(
                    "INSERT OR REPLACE INTO hashes VALUES (?, ?, ?)",
                    (place, stat, sha256),
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
