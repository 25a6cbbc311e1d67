"""Fingerprints of folders: every change of content, and nothing else."""

import hashlib
import os
from pathlib import Path

import pytest
from planning.fingerprint import fingerprint


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    for name in ("a/1.jpg", "a/2.jpg", "b/3.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "state/hashes.sqlite"


def test_content_names_and_number_count_times_do_not(images: Path, cache: Path) -> None:
    before = fingerprint(images, cache=cache)
    os.utime(images / "a/1.jpg", (1, 1))
    (images / ".hidden").write_text("x")
    assert fingerprint(images, cache=cache) == before == fingerprint(images)
    (images / "a/1.jpg").write_text("other!!")
    changed = fingerprint(images, cache=cache)
    (images / "a/1.jpg").write_text("a/1.jpg")
    assert fingerprint(images, cache=cache) == before != changed
    (images / "b/3.jpg").rename(images / "a/3.jpg")
    assert fingerprint(images, cache=cache) != before


def test_a_change_of_equal_size_is_seen_through_the_cache(
    images: Path, cache: Path
) -> None:
    before = fingerprint(images, cache=cache)
    (images / "a/1.jpg").write_text("A/1.JPG")
    assert fingerprint(images, cache=cache) != before


def test_an_image_written_over_and_given_its_old_time_is_seen(
    images: Path, cache: Path
) -> None:
    image = images / "a/1.jpg"
    before, status = fingerprint(images, cache=cache), image.stat()
    image.write_text("A/1.JPG")
    os.utime(image, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert image.stat().st_mtime_ns == status.st_mtime_ns
    assert fingerprint(images, cache=cache) != before


def test_an_added_and_a_removed_image_are_seen(images: Path, cache: Path) -> None:
    before = fingerprint(images, cache=cache)
    (images / "b/4.jpg").write_text("new")
    assert fingerprint(images, cache=cache) != before
    (images / "b/4.jpg").unlink()
    assert fingerprint(images, cache=cache) == before
    (images / "b/3.jpg").unlink()
    assert fingerprint(images, cache=cache) != before


def test_images_made_by_a_rule_count_only_where_they_differ(
    images: Path, tmp_path: Path
) -> None:
    listing = tmp_path / "made.csv"
    assert fingerprint(tmp_path / "not there yet", listing) == "as made"
    rows = [
        f"{p.relative_to(images)},{hashlib.sha256(p.read_bytes()).hexdigest()}"
        for p in images.rglob("*.jpg")
    ]
    listing.write_text("path,sha256\n" + "\n".join(rows) + "\n")
    assert fingerprint(images, listing) == "as made"
    (images / "b/new.jpg").write_text("x")
    one = fingerprint(images, listing)
    assert one.startswith("1 changes ")
    (images / "a/1.jpg").unlink()
    assert fingerprint(images, listing).startswith("2 changes ")


def test_a_damaged_or_forbidden_cache_costs_time_only(
    images: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.sqlite"
    broken.write_text("this is no database")
    assert fingerprint(images, cache=broken) == fingerprint(images)


def test_a_folder_linked_into_itself_ends(images: Path) -> None:
    (images / "a/loop").symlink_to(images)
    assert fingerprint(images).startswith("3 files")
