"""A weights folder from a plain one: links to its files, and `encoder.json`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bakeoff.encoders import WeightsFolder, loader_of
from bakeoff.encoders.check import differs, dimension_of, resolution_of
from bakeoff.files import atomic_path, sha256_of


def describe_weights(
    folder: Path, encoder_id: str, entry: Mapping[str, Any], files: Mapping[str, Path]
) -> None:
    """Fill `folder` with links to `files` and a description of the encoder in them.

    entry: loader, text and licence; dimension and resolution where the catalogue states
    them. The model is loaded once and asked for both. What lay in the folder is
    replaced. Raises BakeoffError where the files cannot be loaded, or where the entry
    states other numbers than the model has.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, path in files.items():
        (folder / name).symlink_to(path.resolve())
    note = {
        "id": encoder_id,
        "loader": entry["loader"],
        "files": {name: sha256_of(path) for name, path in sorted(files.items())},
        "has_text": entry["text"],
        "licence": entry["licence"],
        "source": "a folder of your own",
        "revision": None,
    }
    with atomic_path(folder / "encoder.json") as temporary:
        temporary.write_text(
            json.dumps(note | _measured(folder, note, entry), indent=1)
        )


def _measured(
    folder: Path, note: Mapping[str, Any], entry: Mapping[str, Any]
) -> dict[str, int]:
    """Dimension, resolution and number of parameters of the model in the folder."""
    unknown = {"dimension": 0, "resolution": 0}
    weights = WeightsFolder(folder, {**note, **unknown})
    encoder = loader_of(weights)(weights, None, "cpu", "fp32")
    found = {
        "dimension": dimension_of(encoder),
        "resolution": resolution_of(encoder),
    }
    for key, value in found.items():
        if entry.get(key) not in (None, value):
            raise differs(str(note["id"]), key, entry[key], value)
    return {**found, "parameters": encoder.parameters}
