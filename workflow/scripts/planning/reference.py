"""config/README.md, made from the schema so that it cannot drift from it.

python -m planning.reference > config/README.md
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from planning.config import load_schema

_INTRODUCTION = """\
# Configuration

<!-- Made by `make reference` from schema.yaml. Edit that file instead. -->

`config.yaml` is the embedded demo. For your own images, let bakeoff write a start:

```
.venv/bin/bakeoff init path/to/images        # writes NAME.yaml and NAME-prompts.yaml
make run CONFIG=NAME.yaml                    # ends in results/NAME/summary.html
```

The images may lie as

- `train/<class>/` and `test/<class>/`: encoders are also compared on the fixed test images;
- `<class>/`: encoders are compared by cross-validation;
- anything, with a CSV or Parquet file that has the columns `path` (relative to the folder)
  and `label`, and perhaps `split` (train or test) and `group`: give it as `labels_file`
  (`bakeoff init FOLDER --labels-file FILE`).

Labels that are numbers (ages, grades, counts) belong in a study with `labels: ordinal`.
If several images show one individual, slide, person or video, say so with `group_pattern`
or a column `group`: such images are never divided between training and test, and the tests
count groups instead of images.

A file that cannot be read stops the study, with all such files named at once;
`on_unreadable: quarantine` sets them aside in `results/<study>/quarantine.parquet`.
Unknown keys are refused. Paths are relative to the folder in which you run the workflow.

## Prompt banks

```yaml
templates: ["a photo of a person {}", "{}, a snapshot"]   # filled with every name
classes:
  running: {names: [running, jogging]}
  texting: {names: [texting], prompts: [a person looking down at their phone]}
```

## Every key
"""


def reference(schema: dict[str, Any]) -> str:
    """The page: an introduction and one table of keys per section."""
    parts = [_INTRODUCTION, *_table("Top level", schema, schema)]
    for key, section in schema["properties"].items():
        if section.get("type") == "object" and "properties" in section:
            parts += ["", *_table(f"`{key}`", section, schema)]
    for name, where in (
        ("study", "studies.<name>"),
        ("probe", "probes.<name>"),
        ("protocol", "protocols.<name>"),
        ("recipe", "recipes.<name>"),
        ("augmentation", "recipes.<name>.augmentation"),
        ("encoder", "<id>"),
        ("folder_encoder", "<id>"),
        ("derived_encoder", "<id>"),
    ):
        part = schema["$defs"][name]
        title = f"`{where}`" + (" in the catalogue" if where == "<id>" else "")
        parts += ["", *_table(title, part, schema)]
    return "\n".join(parts) + "\n"


def _table(title: str, section: dict[str, Any], root: dict[str, Any]) -> Iterator[str]:
    yield f"### {title}"
    yield ""
    yield section["description"].strip()
    yield ""
    yield "| key | meaning | allowed | default |"
    yield "|---|---|---|---|"
    required = section.get("required", [])
    yield from _rows(section["properties"], required)
    for branch in section.get("allOf", []):
        kind = branch["if"]["properties"]["kind"]["const"]
        yield from _rows(branch["then"]["properties"], [], f" (`kind: {kind}`)")


def _rows(
    properties: dict[str, Any], required: list[str], only: str = ""
) -> Iterator[str]:
    for key, part in properties.items():
        default = _default(part) if key not in required else "**required**"
        meaning = part["description"].strip().replace("|", "\\|")
        yield f"| `{key}`{only} | {meaning} | {_allowed(part)} | {default} |"


def _default(part: dict[str, Any]) -> str:
    default = part.get("default")
    if default is None or default in ("", {}):
        return ""
    return f"`{json.dumps(default)}`"


def _allowed(part: dict[str, Any]) -> str:
    if "enum" in part:
        return ", ".join(f"`{value}`" for value in part["enum"])
    if "anyOf" in part:
        return " or ".join(_allowed(option) for option in part["anyOf"])
    if "const" in part:
        return f"`{part['const']}`"
    kinds: list[str] = [part["type"]] if isinstance(part["type"], str) else part["type"]
    words = {"array": "list", "object": "section", "string": "text"}
    kind = " or ".join(words.get(kind, kind) for kind in kinds if kind != "null")
    bounds = [
        f"{sign} {part[key]}"
        for key, sign in (
            ("minimum", ">="),
            ("exclusiveMinimum", ">"),
            ("maximum", "<="),
            ("exclusiveMaximum", "<"),
        )
        if key in part
    ]
    return " ".join([kind, *bounds])


if __name__ == "__main__":
    print(
        reference(load_schema(Path(__file__).parents[3] / "config/schema.yaml")), end=""
    )
