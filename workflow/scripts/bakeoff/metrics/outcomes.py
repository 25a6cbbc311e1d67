"""Predictions as arrays, run by run: what every metric and every test starts from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from bakeoff.errors import BakeoffError
from bakeoff.metrics.interface import Outcomes
from bakeoff.tables import origin


@dataclass(frozen=True)
class Run:
    """One run's predictions: what it is of, its images' ids, sorted, and outcomes.

    image_ids: (n,) str objects, which the runs of a table share.
    """

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
    whole, ids = _whole(predictions), _ranked(predictions, "image_id")
    names = [_ranked(predictions, n) for n in ("encoder", "method", "protocol")]
    numbers = [np.asarray(predictions.column(name)) for name in ("repeat", "fold")]
    keys = [*(name.place for name in names), *numbers]
    order = np.lexsort((ids.place, *reversed(keys)))
    changes = np.zeros(len(order), bool)
    for key in keys:
        changes[1:] |= key[order][1:] != key[order][:-1]
    parts = np.split(order, np.flatnonzero(changes))
    return [_run(whole, names, numbers, ids, rows) for rows in parts if len(rows)]


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
    if "scores" not in predictions.column_names:
        return None
    column = predictions.column("scores").combine_chunks()
    if column.null_count == len(column):
        return None
    return np.asarray(column.flatten(), dtype=float).reshape(-1, k)


@dataclass(frozen=True)
class _Ranked:
    """A column of text: its words in order, each once, and (n,) places among them."""

    words: np.ndarray
    place: np.ndarray

    def of(self, rows: np.ndarray) -> np.ndarray:
        return self.words[self.place[rows]]


def _ranked(predictions: pa.Table, name: str) -> _Ranked:
    column = predictions.column(name).combine_chunks()
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    words = np.array(column.dictionary.to_pylist(), dtype=object)
    order = np.argsort(words, kind="stable")
    rank = np.empty(len(words), dtype=np.int64)
    rank[order] = np.arange(len(words))
    return _Ranked(words[order], rank[np.asarray(column.indices)])


def _run(
    whole: Outcomes,
    names: Sequence[_Ranked],
    numbers: Sequence[np.ndarray],
    ids: _Ranked,
    rows: np.ndarray,
) -> Run:
    encoder, method, protocol = (str(name.of(rows[0])) for name in names)
    repeat, fold = (int(number[rows[0]]) for number in numbers)
    return Run(encoder, method, protocol, repeat, fold, ids.of(rows), whole.take(rows))
