"""A log for every job, and one clear message where a user's input ends it."""

import contextlib
import errno
import logging
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from bakeoff.errors import BakeoffError

# What a full, read-only or failing disk says, and what to do about it.
_DISK = {
    errno.ENOSPC: ("a full disk", "Free space and run again: what is finished stays."),
    errno.EDQUOT: ("a full quota", "Free space and run again: what is finished stays."),
    errno.EFBIG: ("a file larger than allowed here", "Raise the limit (`ulimit -f`)."),
    errno.EROFS: ("a read-only file system", "Run in a folder that can be written to."),
    errno.EACCES: ("a refused access", "Give this user the right to read and write."),
    errno.EPERM: ("a refused access", "Give this user the right to read and write."),
    errno.EIO: ("a failing disk or network file system", "Run again elsewhere."),
}


@contextlib.contextmanager
def logged(path: str | Path) -> Iterator[None]:
    """Send what the block prints to `path`; end with status 1 where it raises.

    The message of a BakeoffError stands in the log without a traceback: nothing in it
    is a fault of the code. Neither is a full or read-only disk, or too little memory.
    Any other exception leaves its traceback there.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", buffering=1, encoding="utf-8") as log:
        logging.basicConfig(stream=log, level=logging.WARNING, force=True)
        try:
            with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
                yield
        except Exception as error:
            if known := _of_the_user(error):
                print(f"Error: {known}", file=log)
            else:
                traceback.print_exc(file=log)
            sys.exit(1)


def _of_the_user(error: Exception) -> BakeoffError | None:
    """The error in words if a user's data or machine caused it; None for a fault."""
    if isinstance(error, BakeoffError):
        return error
    if isinstance(error, MemoryError):
        return BakeoffError(
            "this job",
            "too little memory",
            "memory as the rule asks for (mem_mb)",
            "Run it where there is more, or with fewer jobs at a time.",
        )
    if isinstance(error, OSError) and error.errno in _DISK:
        received, remedy = _DISK[error.errno]
        where = str(error.filename or "a file of this job")
        return BakeoffError(where, received, "a file that can be written", remedy)
    return None
