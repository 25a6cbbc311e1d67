"""Choices made inside the training images of a run, which never see its test images."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from bakeoff.errors import BakeoffError
from bakeoff.probes.interface import Fold, Probe

FOLDS = 5
P = TypeVar("P", bound=Probe)


def chosen(candidates: Sequence[P], fold: Fold) -> P:
    """The probe with the most hits in a cross-validation of the training images.

    Of equally good ones the first: list the strongest penalty first. Groups are kept
    whole; products of features are shared with the outer run.
    """
    inner = list(inner_folds(fold))
    hits = [
        sum((probe.predict(part).y == truth).sum() for part, truth in inner)
        for probe in candidates
    ]
    return candidates[int(np.argmax(hits))]


def inner_folds(fold: Fold, most: int = FOLDS) -> Iterator[tuple[Fold, np.ndarray]]:
    """Stratified divisions of the training images, and the labels to be predicted.

    As many as the rarest class has images (groups), but `most` at the most. Raises
    BakeoffError where a class has only one.
    """
    # Imported where it is used, as in all probes: most kinds do without scikit-learn.
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    units = np.arange(len(fold.train)) if fold.units is None else fold.units
    rarest = min(len(np.unique(units[fold.y == c])) for c in fold.present)
    if rarest < 2:
        raise BakeoffError(
            "nested choice",
            "a class with one training image or group",
            "two or more of every class",
            "Give the setting a number instead of `nested`, or add images.",
        )
    grouped = fold.units is not None
    splitter = StratifiedGroupKFold if grouped else StratifiedKFold
    division = splitter(min(most, rarest), shuffle=True, random_state=fold.seed)
    for train, test in division.split(units, fold.y, units if grouped else None):
        part = replace(
            fold,
            train=fold.train[train],
            test=fold.train[test],
            y=fold.y[train],
            units=units[train] if grouped else None,
        )
        yield part, fold.y[test]
