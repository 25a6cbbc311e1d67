"""The configuration, checked against config/schema.yaml and filled with its defaults.

Every problem is one line: the key's path, the value, what is allowed, and the closest
known name where a word seems misspelt. All problems are reported together.
"""

import copy
import difflib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bakeoff.documents import read_yaml
from bakeoff.errors import BakeoffError
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

Schema = Mapping[str, Any]


def load_schema(path: Path) -> dict[str, Any]:
    """The schema file as a dictionary."""
    return read_yaml(path)


def complete(
    config: Mapping[str, Any], schema: Schema, where: str = "configuration"
) -> dict[str, Any]:
    """A copy of `config` with every default filled in.

    Raises BakeoffError that lists every problem, one line each.
    """
    problems = [_describe(error, schema) for error in _errors(config, schema)]
    problems = problems or [
        f"{key}: {value} is not allowed; a finite number was expected"
        for key, value in _not_finite(config, "")
    ]
    if problems:
        raise refused(where, problems)
    return _filled(copy.deepcopy(dict(config)), schema, schema)


def refused(where: str, problems: Sequence[str]) -> BakeoffError:
    """The error that lists problems, one line each."""
    return BakeoffError(
        where,
        f"{len(problems)} problem{'s' * (len(problems) > 1)}",
        "what config/README.md describes",
        "\n" + "\n".join(f"  {problem}" for problem in problems),
    )


def closest(word: str, known: list[str]) -> str:
    """`; did you mean x?` where a known name is near, else nothing."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def _errors(config: Mapping[str, Any], schema: Schema) -> list[ValidationError]:
    found = Draft202012Validator(schema).iter_errors(config)
    return sorted(found, key=lambda error: [str(part) for part in error.absolute_path])


def _not_finite(value: object, where: str) -> Iterator[tuple[str, object]]:
    """(key, value) of every NaN and infinity: no comparison of a schema refuses NaN."""
    if isinstance(value, float) and not math.isfinite(value):
        yield where, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _not_finite(inner, _join(where, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _not_finite(inner, f"{where}.{i}")


def _describe(error: Any, root: Schema) -> str:
    where = ".".join(str(part) for part in error.absolute_path)
    if error.validator in ("additionalProperties", "unevaluatedProperties"):
        known = sorted(known_keys(error.schema, error.instance, root))
        unknown = [key for key in error.instance if key not in known]
        return "; ".join(
            f"{_join(where, key)}: unknown key{closest(str(key), known)} "
            f"(known here: {', '.join(known)})"
            for key in unknown
        )
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return f"{where or 'top level'}: missing {', '.join(map(repr, missing))}"
    return f"{where}: {_value(error.instance)} is not allowed; {_allowed(error)}"


def _join(where: str, key: object) -> str:
    return f"{where}.{key}" if where else str(key)


def _value(instance: object) -> str:
    text = json.dumps(instance, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _allowed(error: Any) -> str:
    value = error.validator_value
    if error.validator == "enum":
        return f"one of {', '.join(map(str, value))}" + closest(
            str(error.instance), [str(word) for word in value]
        )
    if error.validator == "type":
        return f"expected {value if isinstance(value, str) else ' or '.join(value)}"
    if error.validator == "pattern":
        return "a name of letters, digits, '.', '_' and '-' was expected"
    if error.validator == "not":
        return "this name is reserved"
    if error.validator == "anyOf":
        kinds = [_value(s.get("const", s.get("type"))) for s in value]
        return f"expected {' or '.join(kinds)}"
    words = {
        "minimum": "at least",
        "exclusiveMinimum": "more than",
        "maximum": "at most",
        "exclusiveMaximum": "less than",
        "minItems": "at least this many entries:",
        "maxItems": "at most this many entries:",
        "minProperties": "at least this many entries:",
    }
    if error.validator in words:
        return f"{words[error.validator]} {value}"
    return error.message


def known_keys(schema: Schema, instance: object, root: Schema) -> set[str]:
    """The keys that `schema` knows for an object such as `instance`."""
    return {
        key
        for part in _applicable(schema, instance, root)
        for key in part.get("properties", {})
    }


def _applicable(schema: Schema, instance: object, root: Schema) -> Iterator[Schema]:
    """`schema`, what it refers to, and the branches that hold for `instance`."""
    if "$ref" in schema:
        yield from _applicable(_resolve(schema["$ref"], root), instance, root)
    yield schema
    for branch in schema.get("allOf", ()):
        if "if" not in branch:
            yield from _applicable(branch, instance, root)
        elif Draft202012Validator(branch["if"]).is_valid(instance):
            yield from _applicable(branch["then"], instance, root)


def _resolve(reference: str, root: Schema) -> Schema:
    node: Any = root
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def _filled(value: Any, schema: Schema, root: Schema) -> Any:
    if not isinstance(value, dict):
        return value
    for part in _applicable(schema, value, root):
        properties = part.get("properties", {})
        for key, subschema in properties.items():
            if key not in value and "default" in subschema:
                value[key] = copy.deepcopy(subschema["default"])
            if key in value:
                value[key] = _filled(value[key], subschema, root)
        others = part.get("additionalProperties")
        if isinstance(others, dict):
            for key in value.keys() - properties.keys():
                value[key] = _filled(value[key], others, root)
    return value
