"""YAML and JSON files, read so that whatever they hold costs little and is said clearly.

Everything that users, hubs or other programs wrote is read here. Beyond files that are
no YAML or JSON, these are refused, before they can exhaust memory or the stack:

- the same key twice in one mapping, of which parsers silently keep the last;
- nesting deeper than `DEPTH`, which ends in a crash or a traceback elsewhere;
- aliases that together stand for more than `ALIASED` values ("billion laughs").
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bakeoff.errors import BakeoffError, listed

DEPTH = 64
ALIASED = 100_000

# The C library reads ten times faster where PyYAML was built with it.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Refused(ValueError):
    """Content that parsers would take, and what to do about it."""

    def __init__(self, received: str, remedy: str) -> None:
        super().__init__(received)
        self.remedy = remedy


def read_text(path: str | Path, expected: str) -> str:
    """The text of a UTF-8 file, without a byte-order mark.

    Raises BakeoffError where there is no such file, or it is not UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        received = f"text that is not UTF-8 (line {line})"
        remedy = "Save it as UTF-8."
    except FileNotFoundError:
        received, remedy = "no such file", "Check its name and its folder."
    except IsADirectoryError:
        received, remedy = "a folder", "Give the file itself."
    except (OSError, ValueError) as error:
        received = getattr(error, "strerror", None) or str(error)
        remedy = "Check its name and the rights to read it."
    raise BakeoffError(str(path), received, expected, remedy)


def read_yaml(path: str | Path, expected: str = "a YAML file") -> Any:
    """What a YAML file holds; None for an empty one. Raises BakeoffError."""
    text = read_text(path, expected)
    try:
        return parse_yaml(text)
    except (ValueError, yaml.YAMLError) as error:
        raise _not_read(path, error, expected) from error


def read_json(path: str | Path, expected: str = "a JSON file") -> Any:
    """What a JSON file holds. Raises BakeoffError."""
    text = read_text(path, expected)
    try:
        return parse_json(text)
    except ValueError as error:
        raise _not_read(path, error, expected) from error


def parse_yaml(text: str) -> Any:
    """What YAML text holds; raises ValueError or yaml.YAMLError."""
    _refuse_unbounded(text)
    node = yaml.compose(text, Loader=_Loader)
    if node is None:
        return None
    _refuse_repeated_keys(node)
    return _Loader("").construct_document(node)


def parse_json(text: str) -> Any:
    """What JSON text holds; raises ValueError."""
    try:
        content = json.loads(text, object_pairs_hook=_without_repeated_keys)
    except RecursionError:
        raise _too_deep() from None
    if _is_deeper(content, DEPTH):
        raise _too_deep()
    return content


@dataclass
class _Open:
    """A node that is being read: values and levels so far, aliases written out."""

    anchor: str | None
    values: int = 1
    levels: int = 1

    def add(self, child: "_Open") -> None:
        self.values += child.values
        self.levels = max(self.levels, child.levels + 1)


def _refuse_unbounded(text: str) -> None:
    """Raise _Refused for deep nesting and for aliases of aliases of aliases.

    Reads the events of the parser one by one: nothing is built before it is known to
    be small.
    """
    path, anchors, aliased = [_Open(None)], dict[str, _Open](), 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            path.append(_Open(event.anchor))
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in anchors:
                raise _aliased(f"the alias *{event.anchor} of nothing before it")
            path[-1].add(anchors[event.anchor])
            aliased += anchors[event.anchor].values
        elif done := _closed(event, path):
            path[-1].add(done)
            if done.anchor:
                anchors[done.anchor] = done
        if len(path) + path[-1].levels > DEPTH + 2:
            raise _too_deep()
        if aliased > ALIASED:
            raise _aliased(f"aliases that stand for more than {ALIASED:,} values")


def _closed(event: yaml.Event, path: list[_Open]) -> _Open | None:
    """The node that an event ends, taken off the path; None for other events."""
    if isinstance(event, yaml.CollectionEndEvent):
        return path.pop()
    return _Open(event.anchor) if isinstance(event, yaml.ScalarEvent) else None


def _refuse_repeated_keys(root: yaml.Node) -> None:
    repeated = [
        f"{key.value!r} (line {key.start_mark.line + 1})"
        for mapping in _mappings(root)
        for key in _repeated(mapping)
    ]
    if repeated:
        raise _repeated_keys(repeated)


def _mappings(root: yaml.Node) -> Iterator[yaml.MappingNode]:
    """Every mapping below a node, each once though aliases may lead to it again."""
    waiting, seen = [root], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen or isinstance(node, yaml.ScalarNode):
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield node
            waiting += [part for pair in node.value for part in pair]
        else:
            waiting += node.value


def _repeated(mapping: yaml.MappingNode) -> list[yaml.ScalarNode]:
    """The second and later keys of the same type and text, in their order."""
    seen: set[tuple[str, str]] = set()
    found = []
    for key, _ in mapping.value:
        if isinstance(key, yaml.ScalarNode):
            if (key.tag, key.value) in seen:
                found.append(key)
            seen.add((key.tag, key.value))
    return found


def _without_repeated_keys(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    repeated = [key for key, n in Counter(key for key, _ in pairs).items() if n > 1]
    if repeated:
        raise _repeated_keys([repr(key) for key in repeated])
    return dict(pairs)


def _is_deeper(content: Any, depth: int) -> bool:
    level = [content]
    for _ in range(depth):
        level = [
            part
            for whole in level
            if isinstance(whole, dict | list)
            for part in (whole.values() if isinstance(whole, dict) else whole)
        ]
    return bool(level)


def _too_deep() -> _Refused:
    received = f"content nested more than {DEPTH} levels deep"
    return _Refused(received, "Write it with fewer brackets within brackets.")


def _aliased(received: str) -> _Refused:
    return _Refused(received, "Write the values out in place of aliases.")


def _repeated_keys(keys: Sequence[str]) -> _Refused:
    received = f"keys that stand twice in one mapping: {listed(keys, 20)}"
    return _Refused(received, "Keep one of each.")


def _not_read(path: str | Path, error: Exception, expected: str) -> BakeoffError:
    """The error of a file whose content is refused, on one line."""
    if isinstance(error, _Refused):
        received, remedy = str(error), error.remedy
    else:
        received, remedy = f"a mistake ({_told(error)})", "Correct it."
    return BakeoffError(str(path), received, expected, remedy)


def _told(error: Exception) -> str:
    """What a parser says, on one line, with the line of the file where it knows it."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return f"line {mark.line + 1}: {getattr(error, 'problem', error)}"
    return " ".join(str(error).split())
