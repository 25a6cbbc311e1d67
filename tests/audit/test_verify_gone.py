"""Images that changed or are gone, and records that are gone, do not pass for whole."""

import json
from pathlib import Path

import pytest
from bakeoff.images import sha256_of
from bakeoff.tables import write_table
from bakeoff.verify import verify


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """The results of a study of three images: a manifest and its record."""
    (tmp_path / "images").mkdir()
    files = [tmp_path / "images" / f"{i}.png" for i in range(3)]
    for file in files:
        file.write_bytes(file.name.encode())
    folder = tmp_path / "results/birds"
    columns = {
        "image_id": [sha256_of(file) for file in files],
        "path": [file.name for file in files],
        "label": ["a", "b", "a"],
        "split": [""] * 3,
        "width": [8] * 3,
        "height": [8] * 3,
    }
    write_table(folder / "manifest.parquet", "manifest", columns)
    table = "results/birds/manifest.parquet"
    record = {"images": "images", "encoders": {}}
    record["tables"] = {table: sha256_of(folder / "manifest.parquet")}
    (folder / "provenance.json").write_text(json.dumps(record))
    return tmp_path


def test_all_images_of_the_manifest_are_hashed(study: Path) -> None:
    found = verify(study / "results")
    assert (found.images, found.problems) == (3, [])
    assert "3 images" in found.text()


def test_an_image_that_changed_or_is_gone_is_named(study: Path) -> None:
    (study / "images/1.png").write_bytes(b"other")
    (study / "images/2.png").unlink()
    changed, gone = sorted(verify(study / "results").problems)
    assert "1.png" in changed and "other bytes" in changed
    assert "2.png" in gone and "no such file" in gone


def test_without_any_image_every_one_is_missed(study: Path) -> None:
    for path in (study / "images").iterdir():
        path.unlink()
    (study / "images").rmdir()
    problems = verify(study / "results").problems
    assert len([line for line in problems if ".png" in line]) == 3


def test_a_table_that_the_record_names_and_another_took_the_place_of(
    study: Path,
) -> None:
    path = study / "results/birds/manifest.parquet"
    columns = {"image_id": [], "path": [], "label": [], "split": [], "width": []}
    write_table(path, "manifest", columns | {"height": []})
    (line,) = verify(study / "results").problems
    assert "manifest.parquet" in line and "other bytes" in line


@pytest.mark.parametrize("content", [None, "", "{}", "[]", '{"tables": {}}'])
def test_a_study_without_its_record_is_no_study_that_matches(
    study: Path, content: str | None
) -> None:
    record = study / "results/birds/provenance.json"
    record.unlink()
    if content is not None:
        record.write_text(content)
    found = verify(study / "results")
    assert any("provenance.json" in line for line in found.problems)
    assert "everything matches" not in found.text()
