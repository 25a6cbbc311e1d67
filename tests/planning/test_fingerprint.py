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
    before = fingerprint(images)
    (images / "a/loop").symlink_to(images)
    assert fingerprint(images).startswith("4 files")
    assert fingerprint(images) != before


def test_folders_that_all_link_to_one_another_are_walked_once(tmp_path: Path) -> None:
    names = [f"{i:02}" for i in range(12)]
    for name in names:
        (tmp_path / "images" / name).mkdir(parents=True)
        for other in names:
            (tmp_path / "images" / name / f"to {other}").symlink_to(f"../{other}")
    assert int(fingerprint(tmp_path / "images").split()[0]) == len(names) ** 2


def test_a_link_inside_the_folder_that_gets_another_target_is_seen(
    images: Path,
) -> None:
    link = images / "c"
    seen = []
    for target in ("a", "b", ".hidden"):
        (images / target).mkdir(exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        seen.append(fingerprint(images))
    (images / ".hidden/1.jpg").write_text("behind the link")
    seen.append(fingerprint(images))
    assert len(set(seen)) == 4


def test_hidden_files_count_where_a_labels_file_may_name_them(
    images: Path, cache: Path
) -> None:
    seen = [fingerprint(images, cache=cache, hidden=True)]
    for name in ("a/.new.jpg", ".more/1.jpg"):
        (images / name).parent.mkdir(exist_ok=True)
        (images / name).write_text(name)
        seen.append(fingerprint(images, cache=cache, hidden=True))
    (images / ".more/1.jpg").write_text("changed!!!!")
    seen.append(fingerprint(images, cache=cache, hidden=True))
    assert len(set(seen)) == 4


def test_devices_and_fifos_are_named_and_never_opened(images: Path) -> None:
    seen = [fingerprint(images)]
    (images / "a/4.jpg").symlink_to("/dev/null")
    nothing = fingerprint(images)
    (images / "a/4.jpg").unlink()
    (images / "a/4.jpg").write_text("")
    seen += [nothing, fingerprint(images)]
    assert len(set(seen)) == 3, "a device is not an empty file"
    (images / "a/4.jpg").unlink()
    os.mkfifo(images / "a/4.jpg")
    assert fingerprint(images) == nothing
