import numpy as np
import pytest
from bakeoff.tables import read_table, write_table


@pytest.fixture
def predictions(tmp_path):
    """A table of predictions as read back; y and p are class names, run by run."""

    def make(runs, classes, values=None, scores=None, kind=None, encoder="e", **note):
        columns = {"image_id": [], "y_true": [], "y_pred": [], "repeat": [], "fold": []}
        for (repeat, fold), (ids, y, p) in runs.items():
            columns["image_id"] += [f"{i:064x}" for i in ids]
            columns["y_true"] += [str(v) for v in y]
            columns["y_pred"] += [str(v) for v in p]
            columns["repeat"] += [repeat] * len(ids)
            columns["fold"] += [fold] * len(ids)
        n = len(columns["image_id"])
        columns |= {"encoder": [encoder] * n, "method": ["m"] * n}
        columns |= {"protocol": ["p"] * n, "seed": np.zeros(n, np.int64)}
        if scores is not None:
            columns["scores"] = np.asarray(scores, np.float32)
        path = tmp_path / f"{encoder}.parquet"
        provenance = {
            "study": "s",
            "labels": "nominal" if values is None else "ordinal",
            "classes": list(classes),
            "values": values,
            "scores": kind,
            **note,
        }
        write_table(path, "predictions", columns, provenance)
        return read_table(path, "predictions")

    return make
