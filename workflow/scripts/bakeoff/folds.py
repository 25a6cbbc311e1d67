"""Fold tables: how the images are divided, the same way for every encoder.

Kinds of protocol, by the key `kind` of its settings:

- `kfold`: stratified k-fold, repeated; every image is tested once per repeat.
- `split`: the manifest's own division into train and test.
- `holdout`: repeated stratified division into training, validation and test images.
  Nothing is selected on the validation images, so they are left out (fold -2); they
  are there to reproduce studies whose other models needed them.
- `fewshot`: a few training images per class, drawn anew for every repeat. Tested are
  the manifest's test images or, without a split, all images that were not drawn.
- `curve`: growing shares of the training images. Repeat i * seeds + s trains on the
  i-th share with the s-th seed; smaller shares are part of larger ones, which takes
  the luck of the draw out of the slope.

Where the manifest has groups, no group straddles a run's training and test images:
groups are divided whole, and members of a group that would straddle are left out.
`groups: ignore` lifts this, at the price that no test of the results is allowed.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from bakeoff.errors import BakeoffError, listed
from bakeoff.tables import strings

TRAIN, LEFT_OUT = -1, -2
_TEST = 0


@dataclass(frozen=True)
class Run:
    """One (repeat, fold): the ids of its training and of its test images, sorted."""

    repeat: int
    fold: int
    train_ids: np.ndarray
    test_ids: np.ndarray


@dataclass(frozen=True)
class _Images:
    """Images sorted by id: their labels, units that stay whole, and given split.

    ids: (n,) text; labels: (n,) text; units: (n,) int, the group's number, or the
    image's own where there are no groups; split: (n,) text.
    """

    ids: np.ndarray
    labels: np.ndarray
    units: np.ndarray
    split: np.ndarray
    grouped: bool

    @property
    def has_split(self) -> bool:
        return bool((self.split == "test").any())


def make_folds(
    manifest: pa.Table, protocol: Mapping[str, Any], seed: int
) -> dict[str, np.ndarray]:
    """Columns of the table of folds of one protocol.

    The same manifest, protocol and seed give the same folds, whatever the order of the
    manifest's rows. Raises BakeoffError where a class has too few images or groups for
    the protocol (all such classes are named), where a given split divides a group, and
    where a run would test a class that it never trained on.
    """
    images = _read(manifest, protocol)
    repeats = _KINDS[protocol["kind"]](images, protocol, seed)
    for fold in repeats:
        _check_whole(images, fold)
        _check_trained(images, fold, protocol["kind"])
    return {
        "image_id": np.tile(images.ids, len(repeats)),
        "repeat": np.repeat(np.arange(len(repeats), dtype=np.int32), len(images.ids)),
        "fold": np.concatenate(repeats).astype(np.int32),
    }


def runs(folds: pa.Table) -> Iterator[Run]:
    """Every (repeat, fold) of a table of folds, in that order."""
    ids = strings(folds, "image_id")
    repeat, fold = (np.asarray(folds.column(name)) for name in ("repeat", "fold"))
    for r in np.unique(repeat):
        here = np.flatnonzero(repeat == r)
        here = here[np.argsort(ids[here])]
        for k in np.unique(fold[here]):
            if k >= 0:
                train = (fold[here] != k) & (fold[here] != LEFT_OUT)
                yield Run(int(r), int(k), ids[here][train], ids[here][fold[here] == k])


def _read(manifest: pa.Table, protocol: Mapping[str, Any]) -> _Images:
    ids = strings(manifest, "image_id")
    order = np.argsort(ids)
    group = strings(manifest, "group")[order]
    given = group != np.array(None)
    grouped = bool(given.any()) and protocol.get("groups", "auto") == "auto"
    # ASSUME an image without a group is a group of its own.
    names = np.where(given, group, ids[order]) if grouped else ids[order]
    return _Images(
        ids[order],
        strings(manifest, "label")[order],
        np.unique(names.astype(str), return_inverse=True)[1],
        strings(manifest, "split")[order],
        grouped,
    )


def _kfold(images: _Images, protocol: Mapping[str, Any], seed: int) -> list[np.ndarray]:
    """Folds 0..k-1 of each repeat, stratified by class."""
    # Here, since jobs that only read folds need not wait for scikit-learn.
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    k = protocol.get("folds", 10)
    _need(images, images.units, k, f"as many as folds ({k})")
    splitter = StratifiedGroupKFold if images.grouped else StratifiedKFold
    repeats = []
    for r in range(protocol.get("repeats", 1)):
        state = int(np.random.default_rng([seed, r]).integers(2**31))
        division = splitter(k, shuffle=True, random_state=state)
        fold = np.empty(len(images.ids), dtype=int)
        units = images.units if images.grouped else None
        parts = division.split(images.ids, images.labels, units)
        for number, (_, test) in enumerate(parts):
            fold[test] = number
        repeats.append(fold)
    return repeats


def _split(images: _Images, protocol: Mapping[str, Any], seed: int) -> list[np.ndarray]:
    """The manifest's division; without training images, all there is to test."""
    if not images.has_split:
        raise BakeoffError(
            "folds",
            "a manifest that is not divided",
            "images in train and test",
            "Arrange the images as train/<class>/ and test/<class>/, give a column "
            "`split`, or choose a protocol of kind kfold.",
        )
    return [np.where(images.split == "test", _TEST, TRAIN)]


def _holdout(
    images: _Images, protocol: Mapping[str, Any], seed: int
) -> list[np.ndarray]:
    """Test images first, then validation images, of a stratified order."""
    _need(images, images.units, 2, "one to train on, one to test")
    test = protocol.get("test", 0.20)
    held = test + protocol.get("validation", 0.15)
    repeats = []
    for r in range(protocol.get("repeats", 10)):
        position = _stratified_position(images, np.random.default_rng([seed, r]))
        kinds = [position < test, position < held]
        repeats.append(np.select(kinds, [_TEST, LEFT_OUT], TRAIN))
    return repeats


def _fewshot(
    images: _Images, protocol: Mapping[str, Any], seed: int
) -> list[np.ndarray]:
    """The first `shots` images of each class, of an order drawn for each repeat."""
    shots, pool = protocol["shots"], images.split != "test"
    spare = 0 if images.has_split else 1
    single = np.arange(len(pool))
    _need(images, single, shots + spare, f"{shots} to train on, {spare} to test", pool)
    repeats = []
    for r in range(protocol.get("seeds", 10)):
        rng = np.random.default_rng([seed, r])
        rank = _rank_in_class(images.labels, pool, rng.permutation(len(pool)))
        repeats.append(_around(images, pool & (rank < shots)))
    return repeats


def _curve(images: _Images, protocol: Mapping[str, Any], seed: int) -> list[np.ndarray]:
    """Nested shares of the training images; at least one image of every class."""
    least = 1 if images.has_split else 2
    pool = images.split != "test"
    _need(images, images.units, least, "one to train on, one to test", pool)
    repeats = []
    for fraction in protocol.get("fractions", (0.1, 0.2, 0.4, 0.7, 1.0)):
        for s in range(protocol.get("seeds", 10)):
            rng = np.random.default_rng([seed, s])
            fixed = images.split == "test"
            if not images.has_split:
                share = protocol.get("test", 0.20)
                fixed = _stratified_position(images, rng) < share
            position = _stratified_position(images, rng, among=~fixed)
            rank = _rank_in_class(images.labels, ~fixed, position)
            train = ~fixed & ((position < fraction) | (rank == 0))
            repeats.append(np.select([fixed, train], [_TEST, TRAIN], LEFT_OUT))
    return repeats


_Kind = Callable[[_Images, Mapping[str, Any], int], list[np.ndarray]]
_KINDS: dict[str, _Kind] = {
    "kfold": _kfold,
    "split": _split,
    "holdout": _holdout,
    "fewshot": _fewshot,
    "curve": _curve,
}


def _stratified_position(
    images: _Images, rng: np.random.Generator, among: np.ndarray | None = None
) -> np.ndarray:
    """(n,) place of each image in [0, 1) of an order whose every prefix is stratified.

    Units of a class are shuffled and spread evenly over the order, from a start that is
    random for each class; all images of a unit share its place. Cutting the order at f
    gives f n images, up to the size of a unit, and f n_c of each class, up to one or
    so. Images outside `among` are placed at 1.
    """
    among = np.ones(len(images.ids), bool) if among is None else among
    units = np.unique(images.units[among])
    labels = _unit_labels(images, among, units)
    shuffled = rng.permutation(len(units))
    place = np.empty(len(units))
    for label in np.unique(labels):
        members = shuffled[labels[shuffled] == label]
        place[members] = (np.arange(len(members)) + rng.random()) / len(members)
    order = np.argsort(place, kind="stable")
    sizes = np.bincount(np.searchsorted(units, images.units[among]))
    before = np.empty(len(units))
    before[order] = np.cumsum(sizes[order]) - sizes[order]
    position = np.ones(len(images.ids))
    position[among] = before[np.searchsorted(units, images.units[among])] / sizes.sum()
    return position


def _unit_labels(images: _Images, among: np.ndarray, units: np.ndarray) -> np.ndarray:
    """The rarest label of each unit: what is rare must be spread most carefully."""
    frequency = Counter(images.labels.tolist())
    rarest: dict[int, str] = {}
    for unit, label in zip(images.units[among], images.labels[among], strict=True):
        known = rarest.get(unit)
        if known is None or (frequency[label], label) < (frequency[known], known):
            rarest[unit] = label
    return np.array([rarest[unit] for unit in units], dtype=object)


def _rank_in_class(
    labels: np.ndarray, pool: np.ndarray, position: np.ndarray
) -> np.ndarray:
    """(n,) 0, 1, 2, ... by position within each class; n for images outside `pool`."""
    rank = np.full(len(labels), len(labels))
    for label in np.unique(labels[pool]):
        members = np.flatnonzero(pool & (labels == label))
        rank[members[np.argsort(position[members], kind="stable")]] = np.arange(
            len(members)
        )
    return rank


def _around(images: _Images, train: np.ndarray) -> np.ndarray:
    """Folds for given training images: what may be tested is, the rest is left out."""
    test = images.split == "test" if images.has_split else ~train
    straddles = np.isin(images.units, images.units[train])
    return np.select([train, test & ~straddles], [TRAIN, _TEST], LEFT_OUT)


def _need(
    images: _Images,
    units: np.ndarray,
    least: int,
    why: str,
    pool: np.ndarray | None = None,
) -> None:
    """Raise where a class has fewer than `least` different `units` in `pool`."""
    pool = np.ones(len(units), bool) if pool is None else pool
    pairs = set(zip(images.labels[pool], units[pool], strict=True))
    counts = Counter(label for label, _ in pairs)
    labels = sorted(set(images.labels))
    short = [f"{c} ({counts[c]})" for c in labels if counts[c] < least]
    if short:
        unit = "groups" if images.grouped and units is images.units else "images"
        raise BakeoffError(
            "folds",
            f"classes with too few {unit}: {listed(short, 20)}",
            f"at least {least} {unit} in every class: {why}",
            "Merge rare classes (for numbers: `clip`), leave them out, add images, or "
            "choose a protocol that needs fewer.",
        )


def _check_whole(images: _Images, fold: np.ndarray) -> None:
    """Raise where a group has members in two places of one repeat."""
    kept = fold != LEFT_OUT
    places = set(zip(images.units[kept], fold[kept], strict=True))
    straddling = [u for u, n in Counter(unit for unit, _ in places).items() if n > 1]
    if straddling:
        members = np.isin(images.units, straddling)
        raise BakeoffError(
            "folds",
            f"a split that divides {len(straddling)} groups ({members.sum()} images)",
            "every group wholly in train or wholly in test",
            "Move whole groups, or say `groups: ignore` and forgo tests.",
        )


def _check_trained(images: _Images, fold: np.ndarray, kind: str) -> None:
    """Raise where a run tests a class that it never trained on, or tests nothing."""
    if kind == "split" and not (fold == TRAIN).any():
        return  # Zero-shot classification needs no training images.
    for k in np.unique(fold[fold >= 0]):
        trained = set(images.labels[(fold != k) & (fold != LEFT_OUT)])
        unknown = sorted(set(images.labels[fold == k]) - trained)
        if unknown:
            raise BakeoffError(
                "folds",
                f"classes that are tested but never trained on: {listed(unknown, 20)}",
                "every tested class among the training images of its run",
                "Add images of these classes to train, leave the classes out, or take "
                "another seed where groups are few.",
            )
    if not (fold >= 0).any():
        raise BakeoffError(
            "folds",
            "a protocol that leaves no image to test",
            "some images to test",
            "Raise the share of test images or add images.",
        )
