"""The catalogue of encoders, checked, and complete where entries are made of others."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bakeoff.documents import read_yaml

from planning.config import Schema, closest, complete, refused
from planning.encoder_id import EncoderId, parse

Settings = dict[str, Any]
Catalogue = dict[str, Settings]

# How many parts each kind of derived encoder is made of.
_PARTS = {"tiles": (1, 1), "interpolate": (2, 2)}
_MANY = (2, 100)


def read_catalogue(path: Path, schema: Schema) -> Catalogue:
    """Every entry of the file, those of derived encoders completed from their parts'.

    Raises BakeoffError that lists every problem, one line each.
    """
    entries = read_yaml(path)
    if not isinstance(entries, dict):
        raise refused(str(path), ["top level: entries by their id were expected"])
    catalogue = complete(entries, _schema(entries, schema), str(path))
    problems = [line for name in catalogue for line in _problems(name, catalogue)]
    if problems:
        raise refused(str(path), problems)
    return {name: _completed(name, catalogue) for name in catalogue}


def _schema(entries: Mapping[str, Any], schema: Schema) -> Schema:
    """A schema with one property per entry: errors speak of that entry's kind alone."""

    def kind(entry: object) -> str:
        derived = isinstance(entry, Mapping) and "derived" in entry
        return "derived_encoder" if derived else "encoder"

    return {
        "type": "object",
        "properties": {
            name: {"$ref": f"#/$defs/{kind(entry)}"} for name, entry in entries.items()
        },
        "$defs": schema["$defs"],
    }


def _problems(name: str, catalogue: Catalogue) -> Iterator[str]:
    """What is wrong with an entry that its schema cannot see."""
    entry = catalogue[name]
    if parse(name) != EncoderId(name):
        yield f"{name}: an id in the catalogue has no '@', '+' or '~'"
    if "derived" not in entry:
        if not {"hub", "pretrained", "folder"} & set(entry):
            yield f"{name}: missing 'hub', 'pretrained' or 'folder': where its weights are"
        return
    kind, parts = entry["derived"], entry["of"]
    least, most = _PARTS.get(kind, _MANY)
    if not least <= len(parts) <= most:
        number = str(least) if least == most else f"{least} or more"
        yield f"{name}.of: {len(parts)} parts; {kind} needs {number}"
    known = True
    for part in parts:
        parsed = parse(part)
        if parsed is None or parsed.recipe:
            known = False
            yield (
                f"{name}.of: {part!r} is no entry of the catalogue, perhaps with @ and "
                "what is a resolution in pixels"
            )
        elif parsed.base not in catalogue:
            known = False
            near = closest(parsed.base, [*catalogue])
            yield f"{name}.of: {parsed.base!r} is not defined{near}"
        elif kind == "interpolate" and not _has_weights(part, catalogue):
            yield f"{name}.of: {part!r} has no weights of its own to interpolate"
    if known and name in _ancestors(name, catalogue):
        yield f"{name}.of: it would be made of itself"


def _has_weights(part: str, catalogue: Catalogue) -> bool:
    return "@" not in part and "derived" not in catalogue[part]


def _bases(entry: Settings) -> list[str]:
    return [part.partition("@")[0] for part in entry.get("of", [])]


def _ancestors(name: str, catalogue: Catalogue) -> set[str]:
    """Every entry that an entry is made of, however far."""
    found: set[str] = set()
    ahead = _bases(catalogue[name])
    while ahead:
        base = ahead.pop()
        if base not in found and base in catalogue:
            found.add(base)
            ahead += _bases(catalogue[base])
    return found


def _completed(name: str, catalogue: Catalogue) -> Settings:
    """An entry with `text`, `parameters` and `loader`, whatever it is made of."""
    entry = catalogue[name]
    if "derived" not in entry:
        return entry
    parts = [_completed(base, catalogue) for base in _bases(entry)]
    if entry["derived"] == "interpolate":
        return {**parts[0], **entry, "folder": None}
    return {
        **entry,
        "loader": "derived",
        "text": all(part["text"] for part in parts),
        "parameters": sum(part["parameters"] for part in parts),
    }
