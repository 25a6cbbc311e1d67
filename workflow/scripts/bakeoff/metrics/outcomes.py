"""Predictions as arrays, run by run: what every metric and every test starts from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from bakeoff.errors import BakeoffError
from bakeoff.metrics.interface import Outcomes
from bakeoff.tables import origin, strings


@dataclass(frozen=True)
class Run:
    """One run's predictions: what it is of, its images' ids, sorted, and outcomes."""

    encoder: str
    method: str
    protocol: str
    repeat: int
    fold: int
    image_ids: np.ndarray
    outcomes: Outcomes


def outcomes(predictions: pa.Table) -> list[Run]:
    """The runs of a table of predictions, by encoder, method, protocol, repeat, fold.

    The table must be as it was read: its metadata names the classes, their numbers and
    the kind of the scores. Raises BakeoffError where they are missing.
    """
    whole, keys, ids = _whole(predictions), _keys(predictions), _ids(predictions)
    order = np.lexsort((ids, *reversed(keys)))
    changes = np.zeros(len(order), bool)
    for key in keys:
        changes[1:] |= key[order][1:] != key[order][:-1]
    parts = np.split(order, np.flatnonzero(changes))
    return [_run(whole, keys, ids, rows) for rows in parts if len(rows)]


def pooled(runs: Sequence[Run]) -> Outcomes:
    """The outcomes of several runs of the same classes, one below the other."""
    parts = [run.outcomes for run in runs]
    first = parts[0]
    return replace(
        first,
        y_true=np.concatenate([o.y_true for o in parts]),
        y_pred=np.concatenate([o.y_pred for o in parts]),
        raw=None
        if first.raw is None
        else np.concatenate([o.raw for o in parts if o.raw is not None]),
        scores=None
        if first.scores is None
        else np.concatenate([o.scores for o in parts if o.scores is not None]),
    )


def _whole(predictions: pa.Table) -> Outcomes:
    note = origin(predictions)
    if "classes" not in note:
        raise BakeoffError(
            "predictions",
            "a table that does not name its classes",
            "a table as the workflow wrote it",
            "Read it with its metadata, or make it again.",
        )
    classes = tuple(note["classes"])
    values = note["values"]
    return Outcomes(
        _indices(predictions, "y_true", classes),
        _indices(predictions, "y_pred", classes),
        classes,
        np.arange(len(classes)) if values is None else np.asarray(values, float),
        _raw(predictions),
        _scores(predictions, len(classes)),
        note["labels"] == "ordinal",
        note["scores"],
    )


def _indices(predictions: pa.Table, name: str, classes: tuple[str, ...]) -> np.ndarray:
    """(n,) class indices of a column of labels."""
    column = predictions.column(name).combine_chunks()
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    words = column.dictionary.to_pylist()
    unknown = sorted(set(words) - set(classes))
    if unknown:
        raise BakeoffError(
            f"predictions, column {name}",
            f"labels {unknown}",
            f"one of the classes {list(classes)}",
            "The table contradicts itself: make it again.",
        )
    place = np.array([classes.index(word) for word in words], dtype=int)
    return place[np.asarray(column.indices)]


def _raw(predictions: pa.Table) -> np.ndarray | None:
    column = predictions.column("y_raw")
    return None if column.null_count == len(column) else column.to_numpy().astype(float)


def _scores(predictions: pa.Table, k: int) -> np.ndarray | None:
    column = predictions.column("scores").combine_chunks()
    if column.null_count == len(column):
        return None
    return np.asarray(column.flatten(), dtype=float).reshape(-1, k)


def _keys(predictions: pa.Table) -> list[np.ndarray]:
    words = [
        strings(predictions, name).astype(str)
        for name in ("encoder", "method", "protocol")
    ]
    numbers = [np.asarray(predictions.column(name)) for name in ("repeat", "fold")]
    return words + numbers


def _ids(predictions: pa.Table) -> np.ndarray:
    return strings(predictions, "image_id").astype(str)


def _run(
    whole: Outcomes, keys: list[np.ndarray], ids: np.ndarray, rows: np.ndarray
) -> Run:
    encoder, method, protocol, repeat, fold = (key[rows[0]] for key in keys)
    return Run(
        str(encoder),
        str(method),
        str(protocol),
        int(repeat),
        int(fold),
        ids[rows],
        whole.take(rows),
    )
