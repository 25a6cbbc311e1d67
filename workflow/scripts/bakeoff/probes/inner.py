"""Choices made inside the training images of a run, which never see its test images."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from bakeoff.errors import BakeoffError
from bakeoff.probes.interface import Fold, Probe

# Enough to choose among values a factor of ten apart, at a third of the cost of five.
FOLDS = 3
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

    As many as the rarest class has images (groups), but `most` at the most. A class
    with only one image (group) does not count here: every candidate misses that image
    alike. Raises BakeoffError where no class has two, or all training images of a
    division would be of one class.
    """
    # Imported where it is used, as in all probes: most kinds do without scikit-learn.
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    grouped = fold.units is not None
    units = np.arange(len(fold.train)) if fold.units is None else fold.units
    sizes = [len(np.unique(units[fold.y == c])) for c in fold.present]
    several = [size for size in sizes if size > 1]
    if not several:
        raise _too_few("no class with two training images or groups")
    splitter = StratifiedGroupKFold if grouped else StratifiedKFold
    k = min(most, *several)
    division = splitter(k, shuffle=True, random_state=fold.seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")
        parts = list(division.split(units, fold.y, units if grouped else None))
    for train, test in parts:
        if len(np.unique(fold.y[train])) < 2:
            raise _too_few("training images of one class after an inner division")
        part = replace(
            fold,
            train=fold.train[train],
            test=fold.train[test],
            y=fold.y[train],
            units=units[train] if grouped else None,
        )
        yield part, fold.y[test]


def _too_few(received: str) -> BakeoffError:
    return BakeoffError(
        "nested choice",
        received,
        "two or more of every class",
        "Give the setting a number instead of `nested`, or add images.",
    )
