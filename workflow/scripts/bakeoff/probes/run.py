"""Predictions of one probe on the embeddings of one encoder, for every run."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from bakeoff.errors import BakeoffError
from bakeoff.folds import Run, runs
from bakeoff.probes.inputs import (
    Images,
    Labels,
    aligned,
    normalised,
    provenance,
    read_images,
)
from bakeoff.probes.interface import Features, Fold, Predicted
from bakeoff.probes.registry import make_probe


def run_probe(
    embeddings: pa.Table,
    manifest: pa.Table,
    folds: pa.Table,
    *,
    encoder: str,
    method: str,
    protocol: str,
    study: str,
    settings: Mapping[str, Any],
    labels: Labels,
    seed: int,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Columns and provenance of the table of predictions.

    `settings` has `kind`, `normalise`, `standardise` and the fields of the probe of
    that kind. Everything that is fitted is fitted inside a run's training images; what
    runs share (inner products) does not know a label. A run's result depends on its own
    images, `seed`, repeat and fold alone, so that runs may be divided into jobs.

    Raises BakeoffError for unknown settings, vectors that are missing, not finite or
    (to be normalised) zero, and for images of one class only. Features that are equal
    in all images are no error: ridge then predicts the mean, other probes what their
    ties say.
    """
    settings = dict(settings)
    normalise = settings.pop("normalise", True)
    standardise = settings.pop("standardise", False)
    probe = make_probe(settings)
    images = read_images(manifest, labels)
    x = aligned(embeddings, images, encoder)
    features = Features(normalised(x, images, encoder) if normalise else x)
    results = []
    for run in runs(folds):
        fold = _fold(run, images, features, standardise, seed)
        results.append((run, fold, probe.predict(fold)))
    columns = _columns(results, images)
    names = {"encoder": encoder, "method": method, "protocol": protocol}
    columns |= {k: [v] * len(columns["image_id"]) for k, v in names.items()}
    return columns, {
        **provenance(study, images, folds),
        "scores": probe.scores if "scores" in columns else None,
    }


def _fold(
    run: Run, images: Images, features: Features, standardise: bool, seed: int
) -> Fold:
    train, test = images.rows(run.train_ids), images.rows(run.test_ids)
    y = images.y[train]
    if len(np.unique(y)) < 2:
        raise BakeoffError(
            f"repeat {run.repeat}, fold {run.fold}",
            f"{len(train)} training images of {len(np.unique(y))} classes",
            "training images of two classes or more",
            "A probe must be trained: add training images, or choose a protocol of "
            "kind kfold.",
        )
    groups = images.groups[train]
    grouped = (groups != np.array(None)).any()
    names = np.where(groups != np.array(None), groups, images.ids[train]).astype(str)
    return Fold(
        features.standardised(train) if standardise else features,
        train,
        test,
        y,
        images.problem,
        np.unique(names, return_inverse=True)[1] if grouped else None,
        run_seed(seed, run.repeat, run.fold),
    )


def run_seed(seed: int, repeat: int, fold: int) -> int:
    """The seed of one run, the same whichever other runs share its job."""
    return int(np.random.SeedSequence([seed, repeat, fold]).generate_state(1)[0])


def _columns(
    results: list[tuple[Run, Fold, Predicted]], images: Images
) -> dict[str, Any]:
    """Columns of the table of predictions, runs one below the other."""
    classes = np.array(images.problem.classes, dtype=object)
    rows = np.concatenate([fold.test for _, fold, _ in results])
    sizes = [len(fold.test) for _, fold, _ in results]
    columns: dict[str, Any] = {
        "image_id": images.ids[rows],
        "y_true": classes[images.y[rows]],
        "y_pred": classes[np.concatenate([p.y for _, _, p in results])],
        "repeat": np.repeat([run.repeat for run, _, _ in results], sizes),
        "fold": np.repeat([run.fold for run, _, _ in results], sizes),
        "seed": np.repeat([fold.seed for _, fold, _ in results], sizes),
    }
    raw = [p.raw for _, _, p in results if p.raw is not None]
    scores = [p.scores for _, _, p in results if p.scores is not None]
    if raw:
        columns["y_raw"] = np.concatenate(raw)
    if scores:
        columns["scores"] = np.concatenate(scores).astype(np.float32)
    return columns
