"""JSON files that hold a checksum of their own content.

What verification rests on must itself be beyond doubt: a record that was edited, or that
was cut off, says so when it is read.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bakeoff.errors import BakeoffError
from bakeoff.store import digest
from bakeoff.tables import atomic_path

_KEY = "sha256"


def write_checked(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON-able content with its checksum, atomically."""
    plain = json.loads(json.dumps(content))
    with atomic_path(path) as temporary:
        text = json.dumps(plain | {_KEY: digest(plain)}, indent=1)
        temporary.write_text(text, encoding="utf-8")


def read_checked(path: Path) -> dict[str, Any]:
    """The content that was written; BakeoffError where it is missing or was changed."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, str(error)) from error
    if not isinstance(content, dict):
        raise _unreadable(path, f"a {type(content).__name__}")
    if content.pop(_KEY, None) != digest(content):
        raise _unreadable(path, "its checksum does not match")
    return content


def _unreadable(path: Path, why: str) -> BakeoffError:
    return BakeoffError(
        str(path),
        f"no readable record ({why})",
        "the record that the workflow wrote",
        "Run the workflow to its end; delete the file first where it is damaged.",
    )
