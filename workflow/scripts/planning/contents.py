"""Hashes of files, remembered between runs by what the file system says of each.

A file is read again where its size, time stamps or inode differ. The time of the last
change of the inode, which no program can set, is among them.
"""

import json
from pathlib import Path

from bakeoff.files import atomic_path
from bakeoff.records import content_hash, is_damaged

DAMAGED = "damaged"


class Contents:
    """Content hashes of files and folders, each looked up once a run."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._known = _read(cache)
        self._grown = False
        self._seen: dict[str, str | None] = {}

    def hash(self, path: str) -> str | None:
        """As `content_hash`; DAMAGED for a table that contradicts its own checksum."""
        if path not in self._seen:
            self._seen[path] = content_hash(path, self._file)
        return self._seen[path]

    def save(self) -> None:
        """Keep what was learned. It only saves time: a folder may refuse it."""
        if not self._grown:
            return
        try:
            with atomic_path(self._cache) as temporary:
                temporary.write_text(json.dumps(self._known), encoding="utf-8")
        except OSError:
            return

    def _file(self, path: Path) -> str:
        status = path.stat()
        stamps = f"{status.st_mtime_ns} {status.st_ctime_ns}"
        stat = f"{status.st_size} {stamps} {status.st_ino}"
        place = str(path.absolute())
        known = self._known.get(place)
        if known and known[0] == stat:
            return known[1]
        found = DAMAGED if is_damaged(path) else str(content_hash(path))
        self._known[place] = (stat, found)
        self._grown = True
        return found


def _read(cache: Path) -> dict[str, tuple[str, str]]:
    """What is known; nothing where the file is missing or damaged."""
    try:
        content = json.loads(cache.read_text(encoding="utf-8"))
        return {str(path): (str(stat), str(h)) for path, (stat, h) in content.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}
