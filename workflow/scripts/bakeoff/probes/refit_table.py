"""The table of refits: metrics of a ridge regression without each image in turn."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from bakeoff.compare.units import unit_names
from bakeoff.folds import runs
from bakeoff.metrics.definitions import METRICS
from bakeoff.metrics.interface import OrderMetric
from bakeoff.probes.inputs import Images, Labels, aligned, normalised, read_images
from bakeoff.probes.refits import Left, hat_root, values_without
from bakeoff.tables import origin

# Beyond, refits take longer than the rest of a study: n^2 numbers per repeat.
MOST_IMAGES = 5_000
# Protocols whose runs show the influence of training images least.
KINDS = ("kfold", "holdout")


def refit_rows(
    embeddings: pa.Table,
    manifest: pa.Table,
    folds: pa.Table,
    *,
    encoder: str,
    method: str,
    protocol: str,
    settings: Mapping[str, Any],
    labels: Labels,
    metrics: Sequence[str],
) -> dict[str, Any]:
    """Columns of the table; no rows where no closed form is exact, or none is needed.

    That is for ridge regression with a given `alpha` and `decode: round`, on ordinal
    labels and features that are not standardised, over several runs. metrics: ids; those
    of distances are taken. Units are groups, and images without one.
    """
    chosen = [
        metric
        for metric in map(METRICS.__getitem__, metrics)
        if metric.ordinal and metric.needs == "labels"
        if not isinstance(metric, OrderMetric)
    ]
    images = read_images(manifest, labels)
    divided = list(runs(folds))
    kind = origin(folds).get("kind")
    several = kind in KINDS and len(divided) > 1
    if not (chosen and several and _exact(settings, images)):
        return _columns(encoder, method, protocol, [], np.empty((0, 0)), [])
    x = aligned(embeddings, images, encoder)
    if settings.get("normalise", True):
        x = normalised(x, images, encoder)
    groups = dict(zip(images.ids.tolist(), images.groups.tolist(), strict=True))
    names, units = np.unique(unit_names(images.ids, groups), return_inverse=True)
    root = hat_root(x, settings.get("alpha", 6.0))
    everything = np.arange(len(images.ids))
    left = [
        Left(
            run.repeat,
            np.sort(images.rows(run.test_ids)),
            np.setdiff1d(everything, images.rows(run.train_ids)),
        )
        for run in divided
    ]
    values = values_without(root, images.y, images.problem, left, chosen, units)
    words = [metric.name for metric in chosen]
    return _columns(encoder, method, protocol, words, values, names.tolist())


def _exact(settings: Mapping[str, Any], images: Images) -> bool:
    return (
        settings["kind"] == "ridge"
        and settings.get("alpha", 6.0) != "nested"
        and settings.get("decode", "round") == "round"
        and not settings.get("standardise", False)
        and images.problem.ordinal
        and len(images.ids) <= MOST_IMAGES
    )


def _columns(
    encoder: str,
    method: str,
    protocol: str,
    metrics: Sequence[str],
    values: np.ndarray,
    units: Sequence[str],
) -> dict[str, Any]:
    n = len(metrics) * len(units)
    return {
        "encoder": [encoder] * n,
        "method": [method] * n,
        "protocol": [protocol] * n,
        "metric": np.repeat(list(metrics), len(units)).tolist(),
        "unit": list(units) * len(metrics),
        "value": values.T.ravel().tolist(),
    }
