"""The rows of the training table."""

import math
import resource
import sys
from typing import Any

import pyarrow as pa
import torch
from torch import Tensor

from bakeoff.finetune.model import tower_of
from bakeoff.schemas import SCHEMAS

Row = dict[str, float | None]


class Log:
    """Rows so far; time counts the steps' own seconds, over all interruptions."""

    def __init__(self, rows: list[Row] | None = None) -> None:
        self.rows: list[Row] = rows or []
        self.seconds = float(self.rows[-1]["seconds"] or 0.0) if self.rows else 0.0

    def add(self, row: Row) -> None:
        """Append a step's row, given with its own `step_seconds`."""
        self.seconds += float(row.pop("step_seconds") or 0.0)
        self.rows.append(
            {**row, "memory_mb": peak_memory_mb(), "seconds": self.seconds}
        )

    def table(self) -> pa.Table:
        """All rows in the `training` schema."""
        return pa.Table.from_pylist(self.rows, schema=SCHEMAS["training"].arrow())


def tower_norms(model: Any) -> Row:
    """Norms of the gradients: of all, and of either tower (None where it is locked)."""
    norms: dict[str, list[Tensor]] = {}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            norms.setdefault(tower_of(name), []).append(parameter.grad.norm())
    total = {tower: float(torch.stack(some).norm()) for tower, some in norms.items()}
    return {
        "grad_norm": math.hypot(*total.values()),
        "grad_norm_image": total.get("image"),
        "grad_norm_text": total.get("text"),
    }


def peak_memory_mb() -> float:
    """Most memory that was in use: of the GPU where there is one, else resident."""
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        return torch.cuda.max_memory_allocated() / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3
