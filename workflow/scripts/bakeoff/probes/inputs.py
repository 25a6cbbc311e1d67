"""Images, labels and vectors in one order, checked: what predictions start from."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from bakeoff.errors import BakeoffError, listed
from bakeoff.probes.interface import Problem
from bakeoff.tables import origin, strings, vectors

Labels = Literal["nominal", "ordinal"]


@dataclass(frozen=True)
class Images:
    """The manifest sorted by id: ids, paths and groups (n,) text; y: class indices."""

    ids: np.ndarray
    paths: np.ndarray
    groups: np.ndarray
    y: np.ndarray
    problem: Problem

    def rows(self, ids: np.ndarray) -> np.ndarray:
        """Row numbers of `ids`, all of which must be known."""
        rows = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        if (unknown := self.ids[rows] != ids).any():
            raise BakeoffError(
                "folds",
                f"{unknown.sum()} images that the manifest lacks",
                "folds of the same manifest",
                "Delete the table of folds and run again.",
            )
        return rows


def read_images(manifest: pa.Table, labels: Labels) -> Images:
    """The images of a manifest and the classes that they bear.

    Raises BakeoffError where ordinal labels lack a number, and where there are fewer
    than two classes.
    """
    ids = strings(manifest, "image_id")
    order = np.argsort(ids)
    text = strings(manifest, "label")[order]
    classes, y = np.unique(text.astype(str), return_inverse=True)
    values = np.arange(len(classes), dtype=float)
    if labels == "ordinal":
        classes, values, y = _by_number(classes, y, _values(manifest)[order], text)
    if len(classes) < 2:
        raise BakeoffError(
            "manifest",
            f"images of one class only ({listed(classes)})",
            "two classes or more",
            "Add images of another class: with one there is nothing to tell apart.",
        )
    problem = Problem(tuple(map(str, classes)), values, labels == "ordinal")
    path, group = (strings(manifest, name)[order] for name in ("path", "group"))
    return Images(ids[order], path, group, y, problem)


def _values(manifest: pa.Table) -> np.ndarray:
    return manifest.column("value").to_numpy().astype(float)


def _by_number(
    classes: np.ndarray, y: np.ndarray, numbers: np.ndarray, text: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Classes in the order of their numbers, the numbers, and indices into them."""
    bad = ~np.isfinite(numbers)
    if bad.any():
        raise BakeoffError(
            "manifest",
            f"labels that are not numbers: {listed(sorted(set(text[bad])))}",
            "a number for every image of an ordinal study",
            "Mend the labels, or set `labels: nominal`.",
        )
    values = np.array([numbers[y == c][0] for c in range(len(classes))])
    order = np.argsort(values)
    place = np.argsort(order)
    return classes[order], values[order], place[y]


def aligned(embeddings: pa.Table, images: Images, encoder: str) -> np.ndarray:
    """(n, d) float64 vectors in the order of `images`, all of them finite.

    Raises BakeoffError for another encoder's embeddings, and where vectors are missing.
    """
    if (said := origin(embeddings).get("encoder", encoder)) != encoder:
        raise BakeoffError(
            "embeddings",
            f"vectors of {said}",
            f"vectors of {encoder}",
            "Give the embeddings of this encoder.",
        )
    ids = strings(embeddings, "image_id")
    order = np.argsort(ids)
    lost = np.isin(images.ids, ids, invert=True)
    _refuse(lost, images, encoder, "lacks", "a vector for every image of the manifest")
    at = order[np.searchsorted(ids[order], images.ids)]
    x = vectors(embeddings)[at].astype(np.float64)
    bad = ~np.isfinite(x.sum(axis=1))
    _refuse(bad, images, encoder, "has NaN or infinite values for", "finite vectors")
    return x


def normalised(x: np.ndarray, images: Images, encoder: str) -> np.ndarray:
    """(n, d) rows of length 1."""
    length = np.linalg.norm(x, axis=1)
    _refuse(length == 0, images, encoder, "has zero vectors for", "vectors of a length")
    return x / length[:, None]


def _refuse(
    bad: np.ndarray, images: Images, encoder: str, what: str, expected: str
) -> None:
    """Raise where any of the images (n,) is bad."""
    if bad.any():
        raise BakeoffError(
            f"embeddings of {encoder}",
            f"a table that {what} {bad.sum()} images: {listed(images.paths[bad])}",
            expected,
            "Delete the table of embeddings and run again; if it comes back, try "
            "`extraction.precision: fp32`.",
        )
