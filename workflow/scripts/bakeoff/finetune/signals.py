"""SIGTERM and SIGUSR1: leave at the next safe moment, to be continued later."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

# EX_TEMPFAIL of sysexits.h: nothing failed for good, run it again.
EXIT_CODE = 75


class Interrupted(SystemExit):
    """The training was asked to leave and can be continued; exit status 75."""

    def __init__(self, step: int) -> None:
        self.step = step
        super().__init__(EXIT_CODE)


class AbandonStep(Exception):
    """A step was cut short; nothing of it has been applied."""


class Watch:
    """Whether the process was asked to leave."""

    asked = False

    def check(self) -> None:
        """Raise AbandonStep if it was."""
        if self.asked:
            raise AbandonStep


@contextlib.contextmanager
def watched() -> Iterator[Watch]:
    """A watch over both signals; the former handlers return at the end.

    A handler only sets a flag. Outside the main thread Python allows no handlers, and
    the flag stays as it is.
    """
    watch = Watch()
    if threading.current_thread() is not threading.main_thread():
        yield watch
        return

    def ask(number: int, frame: FrameType | None) -> None:
        watch.asked = True

    numbers = (signal.SIGTERM, signal.SIGUSR1)
    former = [signal.signal(number, ask) for number in numbers]
    try:
        yield watch
    finally:
        for number, handler in zip(numbers, former, strict=True):
            signal.signal(number, handler)
