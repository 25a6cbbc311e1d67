"""Columns of the table of predictions, and what its readers must know of the study."""

from typing import Any

import numpy as np
import pyarrow as pa

from bakeoff.probes.inputs import Images
from bakeoff.probes.interface import Predicted
from bakeoff.tables import origin


def columns(
    images: Images,
    rows: np.ndarray,
    predicted: Predicted,
    names: dict[str, str],
    runs: dict[str, np.ndarray],
) -> dict[str, Any]:
    """Columns of the predictions of the images `rows` (m,).

    names: encoder, method and protocol; runs: repeat, fold and seed, (m,) each.
    """
    classes = np.array(images.problem.classes, dtype=object)
    made: dict[str, Any] = {
        "image_id": images.ids[rows],
        "y_true": classes[images.y[rows]],
        "y_pred": classes[predicted.y],
        **{name: [text] * len(rows) for name, text in names.items()},
        **runs,
    }
    if predicted.raw is not None:
        made["y_raw"] = predicted.raw
    if predicted.scores is not None:
        made["scores"] = predicted.scores.astype(np.float32)
    return made


def joined(parts: list[Predicted]) -> Predicted:
    """The predictions of several runs, one below the other."""
    raw = [p.raw for p in parts if p.raw is not None]
    scores = [p.scores for p in parts if p.scores is not None]
    return Predicted(
        np.concatenate([p.y for p in parts]),
        np.concatenate(raw) if raw else None,
        np.concatenate(scores) if scores else None,
    )


def provenance(study: str, images: Images, folds: pa.Table) -> dict[str, Any]:
    """Study, classes and their numbers, and the kind of protocol."""
    problem = images.problem
    return {
        "study": study,
        "labels": "ordinal" if problem.ordinal else "nominal",
        "classes": list(problem.classes),
        "values": problem.values.tolist() if problem.ordinal else None,
        "design": origin(folds).get("kind"),
    }
