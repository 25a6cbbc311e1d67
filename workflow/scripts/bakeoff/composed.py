"""Vectors of derived encoders, made of what shelves hold of their parts.

Nothing is kept twice: what one study embedded with a model at 336 pixels is what the
multi-scale encoder of another study is made of.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from bakeoff.encoders.compose import combined, compose
from bakeoff.encoders.folder import NUMERICS
from bakeoff.schemas import SCHEMAS
from bakeoff.store import Shelf
from bakeoff.tables import vectors


class Composed:
    """What a shelf is to an encoder with weights, to one that is made of others."""

    def __init__(self, kind: str, parts: "Sequence[Shelf | Composed]") -> None:
        self.kind = kind
        self.parts = tuple(parts)

    @property
    def key(self) -> dict[str, Any]:
        """Everything that defines the vectors: how they are composed, and of what.

        `precision` is that of the parts, or fp32 where they differ.
        """
        precisions = {part.key["precision"] for part in self.parts}
        return {
            "loader": "derived",
            "kind": self.kind,
            "parts": [part.key for part in self.parts],
            "numerics": NUMERICS,
            "precision": precisions.pop() if len(precisions) == 1 else "fp32",
        }

    def facts(self) -> dict[str, Any] | None:
        """What the encoder would tell of itself; None while a part has never told."""
        facts = [part.facts() for part in self.parts]
        known = [fact for fact in facts if fact is not None]
        return combined(self.kind, known) if len(known) == len(facts) else None

    def take(self, ids: pa.Array, dimension: int) -> pa.Table:
        """As `Shelf.take`."""
        return pa.concat_tables(self.blocks(ids, dimension, max(1, len(ids))))

    def blocks(
        self, ids: pa.Array, dimension: int, rows: int = 8192
    ) -> Iterator[pa.Table]:
        """As `Shelf.blocks`."""
        schema = SCHEMAS["embeddings"].arrow(dimension)
        for tables in zip(*(_blocks(p, ids, rows) for p in self.parts), strict=True):
            made = compose(self.kind, [vectors(table) for table in tables])
            column = pa.FixedSizeListArray.from_arrays(
                pa.array(made.reshape(-1)), type=schema.field("embedding").type
            )
            ids_column = tables[0]["image_id"].combine_chunks()
            yield pa.Table.from_arrays([ids_column, column], schema=schema)


def _blocks(part: Shelf | Composed, ids: pa.Array, rows: int) -> Iterator[pa.Table]:
    return part.blocks(ids, (part.facts() or {})["dimension"], rows)
