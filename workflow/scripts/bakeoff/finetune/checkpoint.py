"""Checkpoints that are whole, say what they belong to, and hold all that is needed.

Data order, prompts, augmentation and dropout are functions of (seed, step): there is no
generator to store. A checkpoint is written at the end of a step, never within one.
"""

import os
from pathlib import Path
from typing import Any

import torch

from bakeoff.errors import BakeoffError
from bakeoff.tables import atomic_path

VERSION = 1


def write(path: Path, fingerprint: str, state: dict[str, Any]) -> None:
    """Write `state` (tensors, numbers, text, lists, dictionaries), then rename.

    The file and its folder are flushed, so that after a power cut there is the old
    checkpoint or the new one.
    """
    with atomic_path(path) as temporary:
        note = {"version": VERSION, "fingerprint": fingerprint, "state": state}
        torch.save(note, temporary)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(path: Path, fingerprint: str) -> dict[str, Any] | None:
    """The state at `path`, on the CPU; None where there is no checkpoint yet.

    Raises BakeoffError for one that belongs to other data, another recipe, encoder or
    seed, or that cannot be read.
    """
    if not path.exists():
        return None
    try:
        note = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise _unusable(path, f"a file that cannot be read ({error})") from error
    if note.get("version") != VERSION:
        raise _unusable(path, f"version {note.get('version')} of the checkpoints")
    if note["fingerprint"] != fingerprint:
        raise _unusable(path, "the checkpoint of other data, recipe, encoder or seed")
    return note["state"]


def _unusable(path: Path, received: str) -> BakeoffError:
    return BakeoffError(
        str(path),
        received,
        "a checkpoint of this very training",
        "Delete it to train from the start.",
    )
