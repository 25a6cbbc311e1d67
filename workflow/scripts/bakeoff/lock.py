"""One process at a time in a folder, by a lock that ends with the process."""

import contextlib
import errno
import fcntl
import logging
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

# File systems without locks; some clusters mount theirs so.
_NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """The folder for this process alone; another waits, and logs for whom.

    A killed process holds nothing. The lock is the file `.lock` in the folder, which
    stays there; it names the holder while there is one. Where the file system has no
    locks, a warning says so and nothing is held.
    """
    with (folder / ".lock").open("a+", encoding="utf-8") as file:
        _acquire(file, folder)
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()}")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _acquire(file: TextIO, folder: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read() or "another process"
        logging.warning("%s: waits for %s, which fetches into it", folder, holder)
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        text = "%s: no locks on this file system; fetch into it one at a time"
        logging.warning(text, folder)
