"""The training images with their classes and prompts, checked before anything runs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from bakeoff.errors import BakeoffError
from bakeoff.finetune.sampler import PromptBank
from bakeoff.tables import strings

BankRow = tuple[str, int, str]  # class, template, text


@dataclass(frozen=True)
class Dataset:
    """N images: `ids`, `files`, `labels` (N,) as indices of `classes`, `groups` (N,).

    `groups` numbers what must not straddle a split: every image by itself where the
    manifest names no groups.
    """

    ids: list[str]
    files: list[Path]
    labels: np.ndarray
    groups: np.ndarray
    classes: list[str]
    bank: PromptBank

    def __len__(self) -> int:
        return len(self.files)

    def part(self, rows: np.ndarray) -> "Dataset":
        """Some of the images, with all classes and prompts."""
        return Dataset(
            [self.ids[row] for row in rows],
            [self.files[row] for row in rows],
            self.labels[rows],
            self.groups[rows],
            self.classes,
            self.bank,
        )


def dataset(
    manifest: pa.Table, images: Path, ids: Iterable[str], bank: Sequence[BankRow]
) -> Dataset:
    """The images `ids` of the manifest, in the manifest's order.

    Raises BakeoffError naming every id that is not in the manifest and every class
    without a prompt, or if fewer than two classes are left to tell apart.
    """
    wanted = set(ids)
    image_ids = strings(manifest, "image_id")
    rows = [row for row, image_id in enumerate(image_ids) if image_id in wanted]
    names = strings(manifest, "label")[rows]
    classes = sorted(set(names))
    _check(wanted - set(image_ids), classes, bank)
    index = {label: number for number, label in enumerate(classes)}
    prompts = sorted(row for row in bank if row[0] in index)
    paths = strings(manifest, "path")[rows]
    return Dataset(
        [str(image_ids[row]) for row in rows],
        [images / path for path in paths],
        np.array([index[label] for label in names], dtype=np.int64),
        _numbered(strings(manifest, "group")[rows]),
        classes,
        PromptBank(
            [text for _, _, text in prompts],
            np.array([index[label] for label, _, _ in prompts], dtype=np.int64),
        ),
    )


def held_out(data: Dataset, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on and rows to choose on, by whole groups and within each class.

    A group belongs to the class of its first image. Of each class with two groups or
    more, at least one group is on either side.
    """
    order = np.random.default_rng([seed, 2**31]).permutation(np.unique(data.groups))
    first = {group: row for row, group in reversed(list(enumerate(data.groups)))}
    chosen: list[int] = []
    for label in range(len(data.classes)):
        groups = [group for group in order if data.labels[first[group]] == label]
        count = min(max(1, round(share * len(groups))), len(groups) - 1)
        chosen += groups[: max(0, count)]
    out = np.isin(data.groups, chosen)
    if not out.any():
        raise BakeoffError(
            "recipe, validation",
            f"{len(data)} training images in {len(np.unique(data.groups))} groups",
            "a class with two groups (or images without groups) or more",
            "Set validation to 0: there is nothing to choose on.",
        )
    return np.flatnonzero(~out), np.flatnonzero(out)


def _numbered(groups: np.ndarray) -> np.ndarray:
    """Numbers of the groups, (n,); an image without a group is one of its own."""
    names = [
        f"row {row}" if group is None else f"group {group}"
        for row, group in enumerate(groups)
    ]
    return np.unique(names, return_inverse=True)[1]


def _check(unknown: set[str], classes: list[str], bank: Sequence[BankRow]) -> None:
    problems = []
    if unknown:
        shown = ", ".join(sorted(unknown)[:3])
        problems.append(f"{len(unknown)} training images not in the manifest ({shown})")
    silent = sorted(set(classes) - {label for label, _, _ in bank})
    if silent:
        problems.append(f"no prompt for {', '.join(silent)}")
    if len(classes) < 2:
        problems.append(f"{len(classes)} class among the training images")
    if problems:
        raise BakeoffError(
            "training images and prompt bank",
            "; ".join(problems),
            "images of two classes or more, each with at least one prompt",
            "Mend the manifest, the fold or the prompt bank.",
        )
