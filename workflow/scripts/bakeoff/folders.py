"""Labels from folders: `<class>/...`, or `train/<class>/...` with `test/<class>/...`."""

from collections.abc import Iterator
from pathlib import Path

from bakeoff.errors import BakeoffError, listed
from bakeoff.listing import Entry, class_name

# Whole names, and endings.
SIDE_FILES = {
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", ".txt", ".md", ".rst"),
    *(".csv", ".tsv", ".json", ".yaml", ".yml", ".xml", ".html", ".pdf", ".parquet"),
    *(".log", ".ini", ".sha256", ".py", ".ipynb"),
}
SPLITS = ("train", "test")
_OTHER_SPLITS = ("val", "valid", "validation", "dev", "holdout")


def read_folders(images: Path) -> list[Entry]:
    """The entries of a folder, labelled by the names of the folders in it.

    Raises BakeoffError for a missing or empty folder, images outside class folders,
    class folders without images, a half-made division, and links in circles.
    """
    if not images.is_dir():
        raise BakeoffError(
            str(images),
            "no such folder",
            "a folder of images",
            "Check the path of the images in the configuration.",
        )
    splits = _splits(images)
    entries = [entry for split in splits for entry in _classes(images, split)]
    if not entries:
        raise BakeoffError(
            str(images),
            "a folder without images",
            "<class>/<image> or train/<class>/<image> and test/<class>/<image>",
            "Put each image into a folder named like its class, or give a labels file.",
        )
    return entries


def _splits(images: Path) -> tuple[str, ...]:
    """The folders above the classes: train and test, or none.

    A class may be called "train": one of the two names alone, among other classes, is
    a class.
    """
    folders = {path.name for path in _children(images) if path.is_dir()}
    sides = folders & set(SPLITS)
    others = folders - sides
    validation = others & set(_OTHER_SPLITS)
    if not sides or (len(sides) == 1 and others - validation):
        return ("",)
    if folders == set(SPLITS):
        return SPLITS
    remedy = "Add the missing one, or drop the level where there is no division."
    if validation:
        remedy = "Merge it into train/: validation is taken from the training images."
    elif others:
        remedy = "Move the other folders into train/ and test/, or away."
    raise BakeoffError(
        str(images), f"the folders {sorted(folders)}", "train and test", remedy
    )


def _classes(images: Path, split: str) -> Iterator[Entry]:
    """Entries of every class folder; files and empty folders at this level stop."""
    top = images / split
    loose = [p for p in _children(top) if not p.is_dir() and not _is_side_file(p)]
    if loose:
        raise BakeoffError(
            str(top),
            f"{len(loose)} images that lie in no class folder: "
            f"{listed((repr(path.name) for path in loose), most=100)}",
            "every image in the folder of its class",
            "Move them into class folders, or give a labels file.",
        )
    empty = []
    for folder in filter(Path.is_dir, _children(top)):
        files = sorted(_files(folder, ()))
        if not files:
            empty.append(folder.name)
        for file in files:
            path = file.relative_to(images).as_posix()
            yield Entry(path, class_name(folder.name), split)
    if empty:
        raise BakeoffError(
            str(top),
            f"class folders without images: {empty}",
            "images in every class folder",
            "Fill them or remove them.",
        )


def _files(folder: Path, above: tuple[Path, ...]) -> Iterator[Path]:
    here = folder.resolve()
    if here in above:
        raise BakeoffError(
            str(folder),
            "a link to a folder that holds it",
            "folders that end",
            "Remove the link.",
        )
    for path in _children(folder):
        if path.is_dir():
            yield from _files(path, (*above, here))
        elif not _is_side_file(path):
            yield path


def _children(folder: Path) -> list[Path]:
    hidden = (".", "__MACOSX")
    return sorted(p for p in folder.iterdir() if not p.name.startswith(hidden))


def _is_side_file(path: Path) -> bool:
    return path.name.lower() in SIDE_FILES or path.suffix.lower() in SIDE_FILES
