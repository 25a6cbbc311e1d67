"""What every encoder said of every image, as arrays: one row per image."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pandas as pd
import pyarrow as pa

from bakeoff.figures.frames import (
    classes_of,
    encoders_in,
    frames,
    of_setting,
    one_setting,
)
from bakeoff.tables import origin

_COLUMNS = [
    "image_id", "y_true", "y_pred", "y_raw", "encoder", "method", "protocol", "repeat",
]  # fmt: skip


@dataclass(frozen=True)
class Opinions:
    """n images that all E encoders predicted, sorted by image id.

    truth: (n,) and called: (n, E) int, places in `classes`. confidence: (n, E) float in
    (0, 1], the rank of an encoder's confidence among all its predictions, comparable
    between encoders. probability: (n, E) float of the predicted class, NaN where scores
    are no probabilities.
    """

    classes: list[str]
    encoders: list[str]
    image_ids: np.ndarray
    truth: np.ndarray
    called: np.ndarray
    confidence: np.ndarray
    probability: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """(n, E) bool."""
        return self.called == self.truth[:, None]


def opinions(
    predictions: Sequence[pa.Table],
    *,
    method: str | None = None,
    protocol: str | None = None,
    encoders: Sequence[str] | None = None,
) -> Opinions:
    """The opinions of one setting; of several repeats, the first of each image.

    Confidence goes by the gap between the two highest scores; without scores, by the
    distance of the raw prediction from the label; without either, all are equal.
    """
    classes = classes_of(predictions)
    own = of_setting(predictions, method, protocol)
    rows = one_setting(_rows(own or predictions[:1], classes), method, protocol)
    rows = rows.sort_values("repeat", kind="stable")
    rows = rows.drop_duplicates(["encoder", "image_id"])
    rows = rows.assign(rank=rows.groupby("encoder")["gap"].rank(pct=True))
    known = [e for e in encoders_in(rows, encoders) if e in set(rows["encoder"])]
    each = [rows[rows["encoder"] == e].set_index("image_id") for e in known]
    ids = _in_all([part.index for part in each])
    each = [part.loc[ids] for part in each]
    return Opinions(
        classes,
        known,
        np.asarray(ids, dtype=object),
        each[0]["truth"].to_numpy(int) if each else np.empty(0, int),
        _columns(each, "called", int),
        _columns(each, "rank", float),
        _columns(each, "probability", float),
    )


def _in_all(indices: Sequence[pd.Index]) -> pd.Index:
    """What stands in every one of them, sorted."""
    if not indices:
        return pd.Index([], dtype=object)
    return reduce(lambda a, b: a.intersection(b), indices).sort_values()


def _columns(each: Sequence[pd.DataFrame], name: str, kind: type) -> np.ndarray:
    if not each:
        return np.empty((0, 0), kind)
    return np.column_stack([part[name].to_numpy(kind) for part in each])


def _rows(predictions: Sequence[pa.Table], classes: Sequence[str]) -> pd.DataFrame:
    place = pd.Index(classes)
    rows = frames(predictions, _COLUMNS)
    tops = [_top(table) for table in predictions]
    gap = np.concatenate([gap for gap, _ in tops])
    error = (rows["y_raw"] - pd.to_numeric(rows["y_true"], errors="coerce")).abs()
    return rows.assign(
        truth=place.get_indexer(rows["y_true"]),
        called=place.get_indexer(rows["y_pred"]),
        gap=pd.Series(gap, rows.index).fillna(error).fillna(0.0),
        probability=np.concatenate([probability for _, probability in tops]),
    )


def _top(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """(n,) gap between the two highest scores, (n,) highest probability; or NaN."""
    nothing = np.full(table.num_rows, np.nan)
    scores = score_matrix(table)
    if scores is None:
        return nothing, nothing
    two = np.sort(scores, axis=1)[:, -2:]
    gap = two[:, -1] - two[:, 0]
    return gap, two[:, -1] if origin(table).get("scores") == "probability" else nothing


def score_matrix(table: pa.Table) -> np.ndarray | None:
    """(n, K) float64 scores, or None where the method gives none."""
    if "scores" not in table.column_names or not table.num_rows:
        return None
    scores = table.column("scores").combine_chunks()
    if scores.null_count:
        return None
    return np.asarray(scores.flatten(), dtype=float).reshape(table.num_rows, -1)
