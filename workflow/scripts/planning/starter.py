"""A first configuration for a folder of labelled images.

Looks at names only, never into an image: which classes there are, whether they are
numbers, whether the images are divided into train and test.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bakeoff.errors import BakeoffError, listed
from bakeoff.listing import class_name, read_rows

from planning.offline import USUAL

IMAGE_SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in ("jpg", "jpeg", "png", "tif", "tiff", "bmp", "gif", "webp", "ppm")
)
_CONTROL = "tiny-random"  # shipped with the repository
_PROMPTS = ("a photo of {}", "a picture of {}", "an image showing {}")


@dataclass(frozen=True)
class Found:
    """What a folder holds: images per class, and how they are divided.

    grouped: whether a file of labels names the group of each image.
    """

    classes: dict[str, int]
    divided: bool
    labels_file: Path | None = None
    labels: str | None = None
    grouped: bool = False

    @property
    def ordinal(self) -> bool:
        """As the user says; else whether every class of more than two is a number."""
        if self.labels:
            return self.labels == "ordinal"
        return len(self.classes) > 2 and all(map(_is_number, self.classes))

    @property
    def smallest(self) -> int:
        """Images of the rarest class."""
        return min(self.classes.values())


def look(images: Path, labels_file: Path | None = None) -> Found:
    """The classes below `images`, or in a CSV file of labels.

    Raises BakeoffError where there is no folder, no labelled image, or no column label,
    where the file cannot be read, and where a class's name is not valid UTF-8.
    """
    if not images.is_dir():
        raise BakeoffError(
            str(images),
            "no such folder" if not images.exists() else "a file",
            "a folder of images",
            "Give the folder that holds train/ and test/, or one folder per class.",
        )
    if labels_file:
        return _look_into(labels_file)
    divided = (images / "train").is_dir() and (images / "test").is_dir()
    tops = [images / "train", images / "test"] if divided else [images]
    classes: Counter[str] = Counter()
    for top in tops:
        for folder in sorted(top.iterdir()):
            if folder.is_dir() and (count := _count_images(folder)):
                classes[class_name(folder.name)] += count
    if not classes:
        raise BakeoffError(
            str(images),
            "no images in folders named after their classes",
            "train/<class>/ and test/<class>/, or <class>/",
            "If the labels are in a table, give it with --labels-file; its columns are "
            "path and label, and perhaps split and group.",
        )
    _refuse_not_utf8(images, classes)
    return Found(dict(classes), divided)


def _refuse_not_utf8(images: Path, names: Iterable[str]) -> None:
    wrong = [ascii(name) for name in names if not _is_utf8(name)]
    if wrong:
        raise BakeoffError(
            str(images),
            f"names of folders that are not valid UTF-8: {listed(wrong)}",
            "names that a configuration can hold",
            "Rename these folders.",
        )


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def starter_config(
    name: str,
    images: Path,
    found: Found,
    prompts: Path | None,
    encoders: Sequence[str] = USUAL,
) -> str:
    """The text of a configuration for what was found, with comments."""
    ordinal = found.ordinal
    folds = min(10, found.smallest)
    if folds < 2:
        rare = [label for label, count in found.classes.items() if count < 2]
        raise BakeoffError(
            str(images),
            f"classes with a single image: {', '.join(rare[:10])}",
            "at least two images of every class",
            "Add images, or take these classes out.",
        )
    total = sum(found.classes.values())
    lines = [
        f"# {total} images of {len(found.classes)} classes, the rarest with "
        f"{found.smallest}. config/README.md explains every key.",
        "",
        "# Encoders to compare: any ids of config/encoders.yaml.",
        *_encoder_lines(encoders),
        "# Small, with random weights: where no encoder beats it, nothing was learned.",
        f"control: {_CONTROL}",
        "",
        "# Penalties are chosen inside the training images, on vectors scaled to fit.",
        "probes:",
        "  ridge: {kind: ridge, alpha: nested, rescale: true}",
        "  svc: {kind: svc, C: nested, rescale: true}",
        "",
        "protocols:",
        f"  cv{folds}: {{kind: kfold, folds: {folds}, repeats: 10}}",
        *(["  test: {kind: split}"] if found.divided else []),
        "",
        "statistics:",
        "  # A difference below this is too small to matter to you.",
        "  equivalence: {accuracy: 0.01}",
        "",
        "studies:",
        f"  {name}:",
        f"    images: {_quoted(os.fspath(images))}",
        *(
            [f"    labels_file: {_quoted(os.fspath(found.labels_file))}"]
            if found.labels_file
            else []
        ),
        "    # nominal: classes without an order. ordinal: numbers such as ages.",
        f"    labels: {'ordinal' if ordinal else 'nominal'}",
        f"    protocols: [cv{folds}{', test' if found.divided else ''}]",
        *_group_lines(found.grouped),
    ]
    if prompts:
        lines += [
            "    # What a text encoder reads for each class. Edit it: it matters.",
            f"    prompts: {_quoted(os.fspath(prompts))}",
        ]
    return "\n".join(lines) + "\n"


def _encoder_lines(encoders: Sequence[str]) -> list[str]:
    lines = []
    if tuple(encoders) != USUAL:
        lines = [
            "# The hub cannot be reached from here. These come with bakeoff: small ones that",
            f"# show how it works. With a network: [{', '.join(USUAL)}]",
        ]
    return [*lines, f"encoders: [{', '.join([*encoders, _CONTROL])}]"]


def _group_lines(grouped: bool) -> list[str]:
    if grouped:
        return [
            "    # The labels file names groups: images of one group stay on one side of",
            "    # training and test.",
        ]
    return [
        "    # Several images of one animal, slide, person or video? They must stay on",
        "    # one side of training and test: say which part of the path they share.",
        "    # group_pattern: '([^/]+)_[0-9]+\\.jpg$'",
    ]


def starter_prompts(found: Found) -> str:
    """The text of a prompt bank: a few templates and every class by its name."""
    lines = [
        "# Each template is filled with each name. Better names give better results:",
        "# 'a person riding a bicycle' tells an encoder more than 'biking'.",
        "templates:",
        *(f"  - {_quoted(template)}" for template in _PROMPTS),
        "classes:",
    ]
    for label in found.classes:
        spoken = label.replace("_", " ").replace("-", " ").strip() or label
        lines.append(f"  {_quoted(label)}: {{names: [{_quoted(spoken)}]}}")
    return "\n".join(lines) + "\n"


def _look_into(labels_file: Path) -> Found:
    rows = read_rows(labels_file)
    splits = {row.get("split", "") for row in rows}
    return Found(
        dict(Counter(class_name(row["label"].strip()) for row in rows)),
        {"train", "test"} <= splits,
        labels_file,
        grouped=any(row.get("group") for row in rows),
    )


def _count_images(folder: Path) -> int:
    return sum(
        not name.startswith(".") and Path(name).suffix.lower() in IMAGE_SUFFIXES
        for _, _, names in os.walk(folder)
        for name in names
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _quoted(text: str) -> str:
    """`text` as a double-quoted YAML scalar."""
    return json.dumps(text, ensure_ascii=False)


def study_name(text: str) -> str:
    """A name that may be part of a path, made of `text`; `study` if nothing is left."""
    kept = re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-._")[:64]
    return kept if kept and kept not in ("across", "demo", "store") else "study"
