"""Prompt banks: YAML files that say in which words each class may be described.

    templates:                      # used for every class; {} takes the name
      - "a photo of a person {}."
    classes:
      texting:
        names: [texting, typing on a phone]   # the class's own name where left out
        prompts: ["a person looking at a phone in their hands"]

The prompts of a class are every template with every name, then its own prompts.
"""

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff.documents import read_yaml
from bakeoff.errors import BakeoffError
from bakeoff.listing import class_name

_KEYS = ("templates", "classes")
_CLASS_KEYS = ("names", "prompts")


@dataclass(frozen=True)
class Prompt:
    """One prompt: its class, its place among the class's prompts, its text."""

    label: str
    template: int
    text: str


def read_bank(path: str | Path, classes: Sequence[str]) -> list[Prompt]:
    """The prompts of `classes`, class by class in the order given.

    Prompts that a class would have twice are kept once, where they came first. Raises
    BakeoffError that lists every problem with its key: unknown keys and classes (with
    the closest known name), classes without prompts, templates without their {}.
    """
    bank = read_yaml(path, "a YAML file of prompts")
    problems = _problems(bank, classes)
    if problems:
        raise BakeoffError(
            str(path),
            f"{len(problems)} problem{'s' * (len(problems) > 1)}",
            "templates and classes as docs/metrics.md describes",
            "\n" + "\n".join(f"  {problem}" for problem in problems),
        )
    templates = bank.get("templates", [])
    entries = {class_name(str(key)): entry for key, entry in bank["classes"].items()}
    return [
        Prompt(label, number, text)
        for label in classes
        for number, text in enumerate(_texts(label, entries[label] or {}, templates))
    ]


def _texts(label: str, entry: Mapping[str, Any], templates: Sequence[str]) -> list[str]:
    """The prompts of one class, without repetitions, in their order."""
    names = [str(name) for name in entry.get("names") or [label]]
    # `replace`, not `format`: other braces are part of the text.
    made = [t.replace("{}", name) for t in templates for name in names]
    return list(dict.fromkeys([*made, *(entry.get("prompts") or [])]))


def _problems(bank: Any, classes: Sequence[str]) -> list[str]:
    if not isinstance(bank, dict) or not isinstance(bank.get("classes"), dict):
        return ["classes: missing; expected one entry per class"]
    problems = [_unknown(str(key), _KEYS) for key in bank if key not in _KEYS]
    templates = bank.get("templates", [])
    problems += _not_texts("templates", templates)
    if not problems:
        problems += [
            f"templates[{i}]: {t!r} lacks the {{}} that the class name replaces"
            for i, t in enumerate(templates)
            if "{}" not in t
        ]
    names = Counter(class_name(str(key)) for key in bank["classes"])
    problems += [f"classes.{name}: stands twice" for name, n in names.items() if n > 1]
    for given, entry in bank["classes"].items():
        label = class_name(str(given))
        key = f"classes.{label}"
        if label not in classes:
            problems.append(_unknown(label, classes, "classes."))
        problems += _entry_problems(key, entry, bool(templates))
    missing = [label for label in classes if label not in names]
    return problems + [f"classes.{m}: missing, but the study has it" for m in missing]


def _entry_problems(key: str, entry: Any, has_templates: bool) -> list[str]:
    if entry is None:
        entry = {}
    if not isinstance(entry, dict):
        return [f"{key}: {entry!r} is not a mapping of {' and '.join(_CLASS_KEYS)}"]
    problems = [
        _unknown(str(k), _CLASS_KEYS, f"{key}.") for k in entry if k not in _CLASS_KEYS
    ]
    for name in _CLASS_KEYS:
        problems += _not_texts(f"{key}.{name}", entry.get(name, []))
    if not has_templates and not entry.get("prompts"):
        problems.append(f"{key}: no prompts, and no templates to make them from")
    return problems


def _not_texts(key: str, values: Any) -> list[str]:
    if not isinstance(values, list):
        return [f"{key}: {values!r} is not a list"]
    return [
        f"{key}[{i}]: {value!r} is not a text (put it into quotes)"
        for i, value in enumerate(values)
        if not isinstance(value, str) or not value.strip()
    ]


def _unknown(word: str, known: Sequence[str], prefix: str = "") -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f" (known: {', '.join(known)})"
    return f"{prefix}{word}: unknown{hint}"
