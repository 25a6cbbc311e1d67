"""A log for every job, and one clear message where a user's input ends it."""

import contextlib
import logging
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from bakeoff.errors import BakeoffError


@contextlib.contextmanager
def logged(path: str | Path) -> Iterator[None]:
    """Send what the block prints to `path`; end with status 1 where it raises.

    The message of a BakeoffError stands in the log without a traceback: nothing in it
    is a fault of the code. Any other exception leaves its traceback there.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", buffering=1, encoding="utf-8") as log:
        logging.basicConfig(stream=log, level=logging.WARNING, force=True)
        try:
            with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
                yield
        except BakeoffError as error:
            print(f"Error: {error}", file=log)
            sys.exit(1)
        except Exception:
            traceback.print_exc(file=log)
            sys.exit(1)
