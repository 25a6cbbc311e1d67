"""What a study's results were made from and with: a record beside them, for people.

Nothing depends on it, so what differs between machines may stand in it.
"""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import psutil

import bakeoff
from bakeoff.encoders.folder import open_folder
from bakeoff.images import sha256_of


def provenance(
    study: str,
    config: Mapping[str, Any],
    tables: Sequence[Path],
    encoders: Sequence[Path],
) -> dict[str, Any]:
    """The record of one study, JSON-able.

    config: as it was given to the workflow; tables: what was made; encoders: folders of
    weights. Raises BakeoffError for a folder that is no encoder's.
    """
    return {
        "study": study,
        "bakeoff": bakeoff.__version__,
        "code": code_state(),
        "config": dict(config),
        "tables": {path.as_posix(): sha256_of(path) for path in tables},
        "encoders": {folder.as_posix(): _weights(folder) for folder in encoders},
        "packages": packages(),
        "machine": machine(),
    }


def packages() -> dict[str, str]:
    """Version of every Python package that is installed, by name."""
    found = {d.metadata["Name"].lower(): d.version for d in distributions()}
    return dict(sorted(found.items()))


def machine() -> dict[str, Any]:
    """What this job runs on: system, Python, processor, memory, GPUs."""
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "gpus": _lines("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv"),
    }


def code_state() -> dict[str, Any]:
    """Commit of the code and the files that differ from it; None outside of git."""
    root = str(Path(__file__).parents[3])
    commit = _lines("git", "-C", root, "rev-parse", "HEAD")
    if not commit:
        return {"commit": None, "changed": None}
    changed = _lines("git", "-C", root, "status", "--porcelain") or []
    return {"commit": commit[0], "changed": changed}


def _weights(folder: Path) -> dict[str, Any]:
    note = open_folder(folder).note
    keys = ("id", "source", "revision", "licence", "files")
    return {key: note.get(key) for key in keys}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    models = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    return models[0] if models else platform.processor()


def _lines(*command: str) -> list[str] | None:
    """What a program prints, line by line; None where it is missing or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.splitlines() if done.returncode == 0 else None
