"""An encoder of one's own in a plain folder, as open_clip, transformers or timm saved it.

Every planning reads such a folder, so no library is loaded here: configurations are JSON,
and so is the header of a safetensors file.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff.encoder_files import NEEDED, OPTIONAL, TOKENIZER, WEIGHTS, weights_among
from bakeoff.errors import BakeoffError, listed

# What a user calls to get a complete folder.
_SAVING = {
    "openclip": "open_clip.push_to_hf_hub.save_for_hf(model, tokenizer, config, folder)",
    "transformers": "model.save_pretrained(folder) and processor.save_pretrained(folder)",
    "timm": "timm.models.save_for_hf(model, folder, safe_serialization=True)",
}
# transformers writes either, and reads either.
_INSTEAD = {"preprocessor_config.json": "processor_config.json"}
# Files that hold a vocabulary; the other files of a tokenizer are settings.
_VOCABULARY = {name for name in TOKENIZER if "config" not in name and "_" not in name}
_LONGEST_HEADER = 100_000_000  # bytes; safetensors itself reads no longer one


@dataclass(frozen=True)
class PlainFolder:
    """What planning must know of an encoder, and its files.

    files: where each lies, by the name that the loader reads it under; text: whether
    there is a text tower; parameters: millions, of both towers.
    """

    loader: str
    files: dict[str, Path]
    text: bool
    parameters: float


def read_plain_folder(folder: Path, loader: str | None = None) -> PlainFolder:
    """The encoder in a plain folder; `loader` where its configuration leaves a choice.

    Only files that the loader reads are taken: code and checkpoints beside them are not.
    A single safetensors file may have any name. Raises BakeoffError naming everything
    that is missing, and the call that saves it.
    """
    if not folder.is_dir():
        raise BakeoffError(
            str(folder), "no such folder", "a folder of weights", "Correct the path."
        )
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    loader = loader or _loader_of(folder, names)
    weights = _weights(loader, names)
    missing = list(_missing(folder, loader, names, weights))
    if missing:
        raise BakeoffError(
            str(folder),
            f"{listed(names, 10) or 'no files'}, without {' and '.join(missing)}",
            f"all files of an encoder that {loader} loads",
            f"Save it with {_SAVING[loader]}; set `loader` if {loader} is not its library.",
        )
    others = [*NEEDED[loader], *_INSTEAD.values(), *OPTIONAL[loader]]
    taken = weights | {name: name for name in others if name in names}
    return PlainFolder(
        loader,
        {name: folder / there for name, there in taken.items()},
        loader == "openclip" or "text_config" in _config(folder, loader),
        sum(_parameters(folder / there) for there in weights.values()) / 1e6,
    )


def _loader_of(folder: Path, names: Sequence[str]) -> str:
    """The library whose configuration lies in the folder."""
    if "open_clip_config.json" in names:
        return "openclip"
    if "config.json" in names:
        return "timm" if "architecture" in _config(folder, "timm") else "transformers"
    raise BakeoffError(
        str(folder),
        f"{listed(names, 10) or 'no files'}, without a configuration",
        "open_clip_config.json, or config.json of transformers or timm",
        f"Save the model as its library does: {'; '.join(_SAVING.values())}.",
    )


def _weights(loader: str, names: Sequence[str]) -> dict[str, str]:
    """The files of weights by the names that the loader knows; none where none can be."""
    if known := weights_among(loader, names):
        return {name: name for name in known}
    safe = [name for name in names if name.endswith(".safetensors")]
    return {WEIGHTS[loader][0]: safe[0]} if len(safe) == 1 else {}


def _missing(
    folder: Path, loader: str, names: Sequence[str], weights: Mapping[str, str]
) -> Iterator[str]:
    if not weights:
        yield f"weights ({' or '.join(WEIGHTS[loader])})"
    absent = [n for n in NEEDED[loader] if not {n, _INSTEAD.get(n, n)} & set(names)]
    yield from absent
    if NEEDED[loader][0] in absent or _VOCABULARY & set(names):
        return
    if _reads_vocabulary(_config(folder, loader), loader):
        yield "a tokenizer (tokenizer.json)"


def _reads_vocabulary(config: Mapping[str, Any], loader: str) -> bool:
    """Whether texts need a tokenizer's files; open_clip's own tokenizer has none."""
    if loader == "openclip":
        model = config.get("model_cfg", config)
        text = model.get("text_cfg") if isinstance(model, dict) else None
        return isinstance(text, dict) and bool(text.get("hf_tokenizer_name"))
    return "text_config" in config


def _config(folder: Path, loader: str) -> dict[str, Any]:
    path = folder / NEEDED[loader][0]
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")).items())
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise BakeoffError(
            str(path),
            f"no readable configuration ({error})",
            f"JSON that {loader} wrote",
            f"Save the model again with {_SAVING[loader]}.",
        ) from error


def _parameters(path: Path) -> int:
    """How many numbers a file of weights holds."""
    if path.suffix != ".safetensors":
        return path.stat().st_size // 4  # ASSUME float32, as open_clip's .bin files are
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(length, _LONGEST_HEADER)))
        header.pop("__metadata__", None)
        return sum(math.prod(tensor["shape"]) for tensor in header.values())
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BakeoffError(
            str(path),
            "no safetensors file, or a damaged one",
            "weights that safetensors wrote whole",
            "Save them again; a checkpoint under another name stays a checkpoint.",
        ) from error
