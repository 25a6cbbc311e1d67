"""The manifest of a folder of labelled images, and the quarantine of what was refused.

Labels come from folders (`<class>/...`, or `train/<class>/...` with `test/<class>/...`)
or from a CSV or Parquet file. What counts as an image:

- names that begin with a dot, and `__MACOSX`, are passed over;
- so are the side files of operating systems and people (`SIDE_FILES`);
- every other file is meant to be an image, and is refused in words where it is not one;
- symbolic links are followed, to files and to folders, inside the folder or out.

Nothing is lost in silence: every file is a row of the manifest, a row of the
quarantine, or the reason to stop.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from bakeoff.errors import BakeoffError
from bakeoff.folders import SPLITS, read_folders
from bakeoff.images import PIXEL_LIMIT, Unreadable, decode, read_bytes
from bakeoff.listing import Entry, read_listing

Columns = dict[str, list[Any]]

_SHOWN = 100


@dataclass(frozen=True)
class Row:
    """One image: its entry, what was read from it, or why it was refused."""

    entry: Entry
    image_id: str = ""
    width: int = 0
    height: int = 0
    refused: str = ""


def build_manifest(
    images: Path | None,
    *,
    labels_file: Path | None = None,
    labels: Literal["nominal", "ordinal"] = "nominal",
    clip: tuple[float, float] | None = None,
    group_pattern: str | None = None,
    on_unreadable: Literal["stop", "quarantine"] = "stop",
    pixel_limit: int = PIXEL_LIMIT,
    threads: int = 1,
) -> tuple[Columns, Columns]:
    """Columns of the `manifest` and `quarantine` tables of a folder, sorted by path.

    labels_file: CSV or Parquet with columns path, label and perhaps split, group and
        sha256; paths are relative to `images`, or to the file where that is None.
        No file: labels are the folders' names.
    clip: ordinal labels below and above are set to these ends.
    group_pattern: regular expression searched in each path; its group `group`, or its
        first, names what must not straddle train and test. It replaces a group column.
    on_unreadable: whether files that are no images stop the run or leave it.

    Every file is read and decoded whole. The same bytes twice with the same label,
    split and group: the first path stays, the others go to the quarantine.
    Raises BakeoffError, listing all cases of a kind, for: an empty folder, unreadable
    files (`stop`), labels that are no numbers (ordinal), one image under two labels,
    splits or groups, a group on both sides of the split, a class missing on one side.
    """
    if labels_file is not None:
        images = labels_file.parent if images is None else images
        entries = read_listing(labels_file, images)
    elif images is not None:
        entries = read_folders(images)
    else:
        raise ValueError("neither a folder of images nor a labels file")
    if labels == "ordinal":
        entries = _numbered(entries, clip)
    if group_pattern is not None:
        entries = _grouped(entries, group_pattern)
    rows = _read_all(images, entries, pixel_limit, threads)
    if on_unreadable == "stop":
        _stop_at_refused(rows)
    rows = _set_repeats_aside(rows)
    kept = [row for row in rows if not row.refused]
    _check_split(images, [row.entry for row in kept])
    return _manifest(kept), _quarantine(rows)


def _numbered(entries: list[Entry], clip: tuple[float, float] | None) -> list[Entry]:
    """Entries whose labels are numbers in canonical text: "3", never "3.0" or "03"."""
    low, high = clip or (-float("inf"), float("inf"))
    numbered, wrong = [], []
    for entry in entries:
        try:
            value = min(max(_number(entry.label), low), high)
        except ValueError:
            wrong.append(f"{entry.path!r}: {entry.label!r}")
            continue
        text = str(int(value)) if value == int(value) else repr(value)
        numbered.append(replace(entry, label=text, value=float(value)))
    if wrong:
        raise BakeoffError(
            "labels",
            f"{len(wrong)} labels that are no finite numbers: {_some(wrong)}",
            "numbers, because the labels are ordinal",
            "Correct them, or set labels: nominal.",
        )
    return numbered


def _number(text: str) -> float:
    value = float(text)
    if value != value or abs(value) == float("inf"):
        raise ValueError(text)
    return value + 0.0  # turns -0.0 into 0.0


def _grouped(entries: list[Entry], pattern: str) -> list[Entry]:
    try:
        search = re.compile(pattern)
    except re.error as error:
        raise BakeoffError(
            "group_pattern",
            f"{pattern!r} ({error})",
            "a regular expression",
            "Mend it.",
        ) from error
    if not search.groups:
        raise BakeoffError(
            "group_pattern",
            f"{pattern!r} without parentheses",
            "parentheses around the part of the path that names the group",
            r"For example: slide_(\d+)",
        )
    name: str | int = "group" if "group" in search.groupindex else 1
    found = [(entry, search.search(entry.path)) for entry in entries]
    unmatched = [entry.path for entry, match in found if not (match and match[name])]
    if unmatched:
        raise BakeoffError(
            "group_pattern",
            f"{len(unmatched)} paths without a group: {_some(unmatched)}",
            f"{pattern!r} to match every path",
            "Widen the pattern, or rename the files.",
        )
    return [replace(entry, group=match[name]) for entry, match in found if match]


def _read_all(
    images: Path, entries: Iterable[Entry], pixel_limit: int, threads: int
) -> list[Row]:
    ordered = sorted(entries, key=lambda entry: entry.path)
    read = partial(_read, images, pixel_limit)
    with ThreadPoolExecutor(max(1, threads)) as pool:
        return list(pool.map(read, ordered))


def _read(images: Path, pixel_limit: int, entry: Entry) -> Row:
    try:
        entry.path.encode()
    except UnicodeEncodeError:
        shown = entry.path.encode("utf-8", "backslashreplace").decode()
        return Row(replace(entry, path=shown), refused="its name is not valid UTF-8")
    try:
        data = read_bytes(images / entry.path)
        image_id = sha256(data).hexdigest()
        if entry.sha256 not in ("", image_id):
            raise Unreadable("its bytes differ from the SHA-256 in the labels file")
        width, height = decode(data, pixel_limit=pixel_limit).size
    except Unreadable as error:
        return Row(entry, refused=error.reason)
    return Row(entry, image_id, width, height)


def _stop_at_refused(rows: list[Row]) -> None:
    refused = [f"{row.entry.path!r}: {row.refused}" for row in rows if row.refused]
    if refused:
        raise BakeoffError(
            "images",
            f"{len(refused)} files that cannot be used: {_some(refused)}",
            "images of one picture each",
            "Repair or remove them, or set on_unreadable: quarantine.",
        )


def _set_repeats_aside(rows: list[Row]) -> list[Row]:
    """Rows in which the second and later copies of an image are refused.

    Raises BakeoffError where copies differ in what is said of them.
    """
    first: dict[str, Row] = {}
    result, clashes = [], []
    for row in rows:
        original = first.setdefault(row.image_id, row) if row.image_id else row
        if row is not original:
            clash = _clash(original.entry, row.entry)
            if clash:
                clashes.append(clash)
            row = replace(row, refused=f"the same image as {original.entry.path}")
        result.append(row)
    if clashes:
        raise BakeoffError(
            "images",
            f"{len(clashes)} images that are there twice: {_some(clashes)}",
            "each image once, or with the same label, split and group",
            "Remove the wrong copy of each.",
        )
    return result


def _clash(a: Entry, b: Entry) -> str:
    differing = [
        f"{name} {getattr(a, name)!r} and {getattr(b, name)!r}"
        for name in ("label", "split", "group")
        if getattr(a, name) != getattr(b, name)
    ]
    return f"{a.path!r} = {b.path!r} ({', '.join(differing)})" if differing else ""


def _check_split(images: Path, entries: list[Entry]) -> None:
    labels = {entry.label for entry in entries}
    if len(labels) < 2:
        raise BakeoffError(
            str(images),
            f"{len(entries)} images of {len(labels)} classes",
            "at least two classes",
            "Check that the folder is the one that holds the class folders.",
        )
    if not any(entry.split for entry in entries):
        return
    _check_classes(entries, labels)
    _check_groups(entries)


def _check_classes(entries: list[Entry], labels: set[str]) -> None:
    counts = Counter((entry.label, entry.split) for entry in entries)
    missing = [
        f"{label!r} in {split}"
        for label in sorted(labels)
        for split in SPLITS
        if not counts[label, split]
    ]
    if missing:
        raise BakeoffError(
            "split",
            f"classes without images: {_some(missing)}",
            "every class in train and in test",
            "Add images, or remove the class from both.",
        )


def _check_groups(entries: list[Entry]) -> None:
    splits = defaultdict(set)
    for entry in entries:
        if entry.group is not None:
            splits[entry.group].add(entry.split)
    torn = [repr(group) for group in sorted(splits) if len(splits[group]) > 1]
    if torn:
        raise BakeoffError(
            "split",
            f"{len(torn)} groups with images in train and in test: {_some(torn)}",
            "each group on one side, or the test score is too good to be true",
            "Move each group as a whole to one side.",
        )


def _manifest(rows: list[Row]) -> Columns:
    return {
        "image_id": [row.image_id for row in rows],
        "path": [row.entry.path for row in rows],
        "label": [row.entry.label for row in rows],
        "value": [row.entry.value for row in rows],
        "split": [row.entry.split for row in rows],
        "group": [row.entry.group for row in rows],
        "width": [row.width for row in rows],
        "height": [row.height for row in rows],
    }


def _quarantine(rows: list[Row]) -> Columns:
    refused = [row for row in rows if row.refused]
    return {
        "path": [row.entry.path for row in refused],
        "reason": [row.refused for row in refused],
    }


def _some(items: Iterable[object]) -> str:
    """Up to a hundred of the items, and how many more there are."""
    listed = list(items)
    more = len(listed) - _SHOWN
    shown = "; ".join(str(item) for item in listed[:_SHOWN])
    return f"{shown}; and {more} more" if more > 0 else shown
