"""What is wrong with the parts that a derived encoder's `encoder.json` names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bakeoff.documents import read_json
from bakeoff.encoders.compose import COMPOSED
from bakeoff.errors import BakeoffError

_KINDS = (*COMPOSED, "tiles")


def part_problems(path: Path, note: Mapping[str, Any]) -> list[str]:
    """One line for each problem; none for an encoder that is not made of others.

    path: the folder that the note describes.
    """
    if note.get("loader") != "derived":
        return []
    wrong = []
    if note.get("kind") not in _KINDS:
        wrong.append(f"kind {note.get('kind')!r:.60} is none of {', '.join(_KINDS)}")
    if not isinstance(note.get("tiles"), int) or note["tiles"] < 1:
        wrong.append(f"tiles {note.get('tiles')!r:.60} is no number of tiles")
    parts = note.get("parts")
    if not isinstance(parts, list) or not parts or not all(map(_is_part, parts)):
        return [*wrong, "parts are no list of a folder and a resolution each"]
    if path.resolve() in _behind(path, note):
        wrong.append("it would be made of itself")
    return wrong


def _is_part(part: Any) -> bool:
    return (
        isinstance(part, dict)
        and isinstance(part.get("folder"), str)
        and "\0" not in part["folder"]
        and isinstance(part.get("resolution"), int | None)
    )


def _behind(path: Path, note: Mapping[str, Any]) -> set[Path]:
    """The folders of all parts and of their parts, as far as they are described."""
    found: set[Path] = set()
    ahead = _folders(path, note)
    while ahead:
        folder = ahead.pop()
        if folder not in found:
            found.add(folder)
            ahead += _folders(folder, _described(folder))
    return found


def _folders(path: Path, note: Any) -> list[Path]:
    parts = note.get("parts") if isinstance(note, dict) else None
    named = parts if isinstance(parts, list) else []
    return [(path / part["folder"]).resolve() for part in named if _is_part(part)]


def _described(folder: Path) -> Any:
    """A part's own note; None where it has none, which is said when it is opened."""
    try:
        return read_json(folder / "encoder.json")
    except BakeoffError:
        return None
