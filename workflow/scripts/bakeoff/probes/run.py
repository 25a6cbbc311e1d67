"""Predictions of one probe on the embeddings of one encoder, for every run."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from bakeoff.errors import BakeoffError
from bakeoff.folds import Run, runs
from bakeoff.probes.inputs import Images, Labels, aligned, normalised, read_images
from bakeoff.probes.interface import Features, Fold, Probe
from bakeoff.probes.outputs import columns, joined, provenance
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

    `settings` has `kind`, `normalise`, `standardise`, `rescale` and the fields of the
    probe of that kind. Everything that is fitted is fitted inside a run's training images; what
    runs share (inner products) does not know a label. A run's result depends on its own
    images, `seed`, repeat and fold alone, so that runs may be divided into jobs.

    Raises BakeoffError for unknown settings, vectors that are missing, not finite or
    (to be normalised) zero, and for images of one class only. Features that are equal
    in all images are no error: ridge then predicts the mean, other probes what their
    ties say.
    """
    images = read_images(manifest, labels)
    probe, scaled, features = prepared(settings, embeddings, images, encoder)
    done = list(runs(folds))
    tasks = [fold_of(run, images, features, seed) for run in done]
    predicted = joined([probe.predict(scaled(fold)) for fold in tasks])
    sizes = [len(fold.test) for fold in tasks]
    made = columns(
        images,
        np.concatenate([fold.test for fold in tasks]),
        predicted,
        {"encoder": encoder, "method": method, "protocol": protocol},
        {
            "repeat": np.repeat([run.repeat for run in done], sizes),
            "fold": np.repeat([run.fold for run in done], sizes),
            "seed": np.repeat([fold.seed for fold in tasks], sizes),
        },
    )
    kind = probe.scores if "scores" in made else None
    return made, {**provenance(study, images, folds), "scores": kind}


def fold_of(run: Run, images: Images, features: Features, seed: int) -> Fold:
    """What a probe is given for one run; BakeoffError where it could not be trained."""
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
        features,
        train,
        test,
        y,
        images.problem,
        np.unique(names, return_inverse=True)[1] if grouped else None,
        run_seed(seed, run.repeat, run.fold),
    )


def prepared(
    settings: Mapping[str, Any], embeddings: pa.Table, images: Images, encoder: str
) -> tuple[Probe, Callable[[Fold], Fold], Features]:
    """The probe, how the features of a run are scaled, and the features of all images.

    The scaling is fitted on the training images of the run. One run at a time is
    scaled, since each has a copy of the features.
    """
    settings = dict(settings)
    normalise = settings.pop("normalise", True)
    standardise = settings.pop("standardise", False)
    rescale = settings.pop("rescale", False)
    probe = make_probe(settings)
    x = aligned(embeddings, images, encoder)

    def scaled(fold: Fold) -> Fold:
        if standardise:
            fold = replace(fold, features=fold.features.standardised(fold.train))
        if rescale:
            fold = replace(fold, features=fold.features.rescaled(fold.train))
        return fold

    return probe, scaled, Features(normalised(x, images, encoder) if normalise else x)


def run_seed(seed: int, repeat: int, fold: int) -> int:
    """The seed of one run, the same whichever other runs share its job."""
    return int(np.random.SeedSequence([seed, repeat, fold]).generate_state(1)[0])
