"""The catalogue of encoders, checked, and complete where entries are made of others."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bakeoff.documents import read_yaml
from bakeoff.errors import BakeoffError
from bakeoff.plain_folder import read_plain_folder

from planning.config import Schema, closest, complete, refused
from planning.encoder_id import EncoderId, parse

Settings = dict[str, Any]
Catalogue = dict[str, Settings]

# How many parts each kind of derived encoder is made of.
_PARTS = {"tiles": (1, 1), "interpolate": (2, 2)}
_MANY = (2, 100)


def read_catalogue(
    paths: Sequence[Path], schema: Schema, locate: Callable[[str], str] = str
) -> Catalogue:
    """Every entry of the files; an entry of a later file replaces an earlier one's.

    Entries with a folder are completed from its files, those of derived encoders from
    their parts'. locate: where a path that an entry names lies.
    Raises BakeoffError that lists every problem, one line each.
    """
    entries: Catalogue = {}
    for path in paths:
        entries |= _entries(path)
    where = " and ".join(map(str, paths))
    catalogue = complete(entries, _schema(entries, schema), where)
    problems = [line for name in catalogue for line in _problems(name, catalogue)]
    for name, entry in catalogue.items():
        try:
            catalogue[name] = entry | _from_folder(entry, locate)
        except BakeoffError as error:
            problems.append(f"{name}.folder: {error}")
    if problems:
        raise refused(where, problems)
    return {name: _completed(name, catalogue) for name in catalogue}


def replaced_entries(paths: Sequence[Path]) -> list[str]:
    """One line for each entry of a later file that takes the place of another one."""
    lines: list[str] = []
    known: dict[str, tuple[Path, Settings]] = {}
    for path in paths:
        entries = _entries(path)
        lines += [
            f"encoder {name}: the entry of {path} replaces that of {known[name][0]}"
            for name, entry in entries.items()
            if name in known and entry != known[name][1]
        ]
        known |= {name: (path, entry) for name, entry in entries.items()}
    return lines


def _entries(path: Path) -> Catalogue:
    entries = read_yaml(path)
    if not isinstance(entries, dict):
        raise refused(str(path), ["top level: entries by their id were expected"])
    return entries


def _schema(entries: Mapping[str, Any], schema: Schema) -> Schema:
    """A schema with one property per entry: errors speak of that entry's kind alone."""

    def kind(entry: object) -> str:
        keys = entry if isinstance(entry, Mapping) else ()
        if "derived" in keys:
            return "derived_encoder"
        return "folder_encoder" if "folder" in keys else "encoder"

    return {
        "type": "object",
        "properties": {
            name: {"$ref": f"#/$defs/{kind(entry)}"} for name, entry in entries.items()
        },
        "$defs": schema["$defs"],
    }


def _from_folder(entry: Settings, locate: Callable[[str], str]) -> Settings:
    """What an entry with a folder leaves out, read from the folder.

    `files` are those of a plain folder, which has no encoder.json yet.
    """
    if "folder" not in entry:
        return {}
    folder = Path(locate(entry["folder"]))
    if (folder / "encoder.json").is_file():
        return {key: value for key, value in _noted(folder) if key not in entry}
    plain = read_plain_folder(folder, entry.get("loader"))
    found = {
        "loader": plain.loader,
        "text": plain.text,
        "parameters": plain.parameters,
        "files": {name: str(path) for name, path in plain.files.items()},
    }
    return {key: value for key, value in found.items() if key not in entry}


def _noted(folder: Path) -> Iterator[tuple[str, Any]]:
    """What encoder.json says, by the keys of the catalogue."""
    from bakeoff.encoders.folder import open_folder  # takes longer than most plannings

    note = open_folder(folder).note
    yield from ((key, note[key]) for key in ("loader", "dimension", "resolution"))
    yield "text", bool(note.get("has_text", False))
    yield "parameters", int(note.get("parameters", 0)) / 1e6


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
