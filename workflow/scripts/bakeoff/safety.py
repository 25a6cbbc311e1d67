"""What a folder of weights may not hold: code, what loads code, weights not listed.

A repository can bring Python files and name them under `auto_map`; libraries import
them where `trust_remote_code` is true, which a configuration can set for a tokenizer.
Here nothing of a repository is ever imported: every loader passes
`trust_remote_code=False`, and what could set it otherwise is refused by name.
"""

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from bakeoff.errors import BakeoffError, listed

_CODE = (".py", ".pyc", ".pyd", ".so")
# What the three libraries take for weights; which of several they take is their choice.
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".tar", ".npz", ".ckpt")
# What open_clip itself does with a text; it hands every other key on to transformers.
TOKENIZER_KEYS: dict[str, type] = {
    "clean": str,
    "language": str,
    "strip_sep_token": bool,
}
_CONFIG = "open_clip_config.json"


def refuse_code(folder: Path) -> None:
    """Raises BakeoffError naming all in the folder that could run or load code."""
    wrong = [
        *(f"the code {p.relative_to(folder)}" for p in sorted(_code_in(folder))),
        *_elsewhere(folder),
    ]
    if wrong:
        raise BakeoffError(
            str(folder),
            listed(wrong),
            "weights, configuration and tokenizer alone: no code of a repository runs",
            "Choose an encoder that open_clip, transformers or timm knows by itself, "
            "and remove Python files from its folder.",
        )
    if wrong := [*_refused_keys(text_settings(folder).get("tokenizer_kwargs"))]:
        raise BakeoffError(
            f"{folder / _CONFIG}, model_cfg.text_cfg.tokenizer_kwargs",
            listed(wrong),
            ", ".join(f"{k} ({kind.__name__})" for k, kind in TOKENIZER_KEYS.items()),
            "Choose an encoder whose tokenizer needs no other key; for a model of your "
            "own, remove the key.",
        )


def refuse_unlisted(folder: Path, names: Collection[str]) -> None:
    """Raises BakeoffError for files of weights that are not among `names`.

    A library that finds several chooses by its own order: one that encoder.json does
    not list, and whose bytes nobody compared, could stand in for one that it lists.
    """
    found = (p.name for p in folder.iterdir() if p.suffix in _WEIGHTS)
    if unlisted := sorted(set(found) - set(names)):
        raise BakeoffError(
            str(folder),
            f"{listed(unlisted)}, which encoder.json does not list",
            "no other weights than those that are listed with their SHA-256",
            "Remove what is not listed from the folder, and run again.",
        )


def text_settings(folder: Path) -> dict[str, Any]:
    """`text_cfg` of an open_clip configuration; empty where the folder has none.

    Raises BakeoffError where the configuration cannot be read.
    """
    path = folder / _CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return dict(config.get("model_cfg", {}).get("text_cfg", {}))
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BakeoffError(
            str(path),
            f"no readable configuration ({str(error)[:100]})",
            "JSON with `model_cfg` and, in it, `text_cfg`",
            "Fetch the weights again; for your own model, check its configuration.",
        ) from error


def _code_in(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.suffix in _CODE)


def _elsewhere(folder: Path) -> Iterator[str]:
    """What makes a library load another model than the one in the folder."""
    if (folder / "adapter_config.json").exists():
        yield "adapter_config.json (weights for a model that lies elsewhere)"
    if name := text_settings(folder).get("hf_model_name"):
        yield f"{_CONFIG} with hf_model_name {name!r:.60} (a model that lies elsewhere)"


def _refused_keys(settings: Any) -> Iterator[str]:
    """The tokenizer's settings that are not allowed, each with its value."""
    if not isinstance(settings, dict | None):
        yield f"{settings!r:.60}"
        return
    for key, value in (settings or {}).items():
        if not isinstance(value, TOKENIZER_KEYS.get(key, ())):
            yield f"{key!r:.60}: {value!r:.60}"
