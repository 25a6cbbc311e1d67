"""The one error that a user can cause: it says what to do."""

from collections.abc import Iterable


class BakeoffError(ValueError):
    """What was received, what was expected, where, and what to do next.

    Everything that a user's data, configuration or machine can cause is raised as this
    error and shown without a traceback; any other exception is a fault of bakeoff.
    """

    def __init__(self, where: str, received: str, expected: str, remedy: str) -> None:
        self.where = where
        self.received = received
        self.expected = expected
        self.remedy = remedy
        told = f"{where}: got {received}; expected {expected}. {remedy}"
        # Names of files need not be UTF-8; what is printed and logged must be.
        super().__init__(told.encode("utf-8", "backslashreplace").decode())

    def __reduce__(self) -> tuple[type, tuple[str, str, str, str]]:
        """Survive the trip between worker processes."""
        return type(self), (self.where, self.received, self.expected, self.remedy)


def listed(names: Iterable[object], most: int = 5) -> str:
    """The first `most` names, comma-separated, and how many more there are."""
    words = [str(name) for name in names]
    rest = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + rest
