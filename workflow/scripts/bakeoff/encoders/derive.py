"""Folders of encoders that are made of other encoders: descriptions, no weights."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from bakeoff.encoders.folder import open_folder
from bakeoff.errors import BakeoffError
from bakeoff.files import atomic_path, sha256_of

Kind = Literal["concatenate", "average", "tiles"]


def derive(
    folder: Path,
    encoder_id: str,
    kind: Kind,
    parts: Sequence[tuple[Path, int | None]],
    *,
    tiles: int = 2,
) -> None:
    """Describe in `folder` an encoder made of others; no weights are copied.

    parts: folders of encoders, each with a resolution or None for its own; one part for
    `tiles`, two or more otherwise. The same model at several resolutions is what is
    called multi-scale.
    Raises BakeoffError where the parts' vectors cannot be averaged, or their number is
    wrong.
    """
    notes = [open_folder(path).note for path, _ in parts]
    dimensions = [int(note["dimension"]) for note in notes]
    if (kind == "tiles") != (len(parts) == 1) or not parts:
        raise BakeoffError(
            encoder_id,
            f"{len(parts)} parts",
            f"one for tiles, more for {kind}",
            "Mend.",
        )
    if kind != "concatenate" and len(set(dimensions)) > 1:
        raise BakeoffError(
            encoder_id,
            f"vectors of lengths {dimensions}",
            "vectors of one length and one space, to average them",
            "Use kind: concatenate for different models.",
        )
    _write_note(
        folder,
        {
            "id": encoder_id,
            "loader": "derived",
            "kind": kind,
            "tiles": tiles,
            "parts": [
                {
                    "folder": os.path.relpath(path, folder),
                    "resolution": resolution,
                    # So that this description changes when a part does.
                    "description": sha256_of(path / "encoder.json"),
                }
                for path, resolution in parts
            ],
            "files": {},
            "dimension": sum(dimensions) if kind == "concatenate" else dimensions[0],
            "resolution": max(
                resolution or int(note["resolution"])
                for note, (_, resolution) in zip(notes, parts, strict=True)
            ),
            "has_text": all(note.get("has_text", False) for note in notes),
            "parameters": sum(int(note.get("parameters", 0)) for note in notes),
            "licence": _licences(notes),
            "source": f"{kind} of {', '.join(map(_named, notes, parts))}",
        },
    )


def interpolate(folder: Path, encoder_id: str, a: Path, b: Path, alpha: float) -> None:
    """A weights folder with (1 - alpha) a + alpha b, parameter by parameter.

    Between a model and its fine-tuned self, this often generalises better than either.
    Integer buffers are a's. Source: Wortsman et al. 2022 (WiSE-FT), equation 1.
    Raises BakeoffError where the two are not the same architecture, or a folder is not
    what its encoder.json describes.
    """
    import torch
    from safetensors.torch import load_file, save_file

    for folder_of_part in (a, b):
        open_folder(folder_of_part).verify()
    first, second = _weights(a), _weights(b)
    x, y = load_file(first), load_file(second)
    if {k: v.shape for k, v in x.items()} != {k: v.shape for k, v in y.items()}:
        raise BakeoffError(
            encoder_id,
            f"{a.name} and {b.name}, whose parameters differ in name or shape",
            "two sets of weights of one architecture",
            "Interpolate between a model and a fine-tuned version of it.",
        )
    mixed = {
        name: torch.lerp(x[name].float(), y[name].float(), alpha).to(x[name].dtype)
        if x[name].is_floating_point()
        else x[name]
        for name in x
    }
    hidden = shutil.ignore_patterns(".*")  # what a fetch notes for itself
    shutil.copytree(a, folder, dirs_exist_ok=True, ignore=hidden)
    with atomic_path(folder / first.name) as temporary:
        save_file(mixed, temporary)
    note = dict(open_folder(a).note)
    note["files"] |= {first.name: sha256_of(folder / first.name)}
    licences = _licences([note, open_folder(b).note])
    source = f"{1 - alpha:g} {a.name} + {alpha:g} {b.name}"
    changed = {"id": encoder_id, "licence": licences, "source": source}
    _write_note(folder, note | changed | {"revision": None})


def _weights(folder: Path) -> Path:
    """The one safetensors file of a weights folder."""
    files = sorted(folder.glob("*.safetensors"))
    if len(files) != 1:
        raise BakeoffError(
            str(folder),
            f"{len(files)} safetensors files",
            "one, to interpolate its parameters",
            "Only weights in one safetensors file can be interpolated.",
        )
    return files[0]


def _licences(notes: Sequence[Mapping[str, Any]]) -> str:
    return " and ".join(dict.fromkeys(str(n.get("licence", "none")) for n in notes))


def _named(note: Mapping[str, Any], part: tuple[Path, int | None]) -> str:
    return f"{note['id']}@{part[1]}" if part[1] else str(note["id"])


def _write_note(folder: Path, note: dict[str, Any]) -> None:
    with atomic_path(folder / "encoder.json") as temporary:
        temporary.write_text(json.dumps(note, indent=1))
