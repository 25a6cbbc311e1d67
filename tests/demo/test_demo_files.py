import hashlib

import pytest
from bakeoff.demo.files import replaced_folder, sha256, write_csv


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_folder_is_replaced_as_a_whole(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "stale").touch()
    with replaced_folder(folder) as new:
        (new / "fresh").touch()
        assert names(folder) == ["stale"]
    assert names(folder) == ["fresh"]
    assert names(tmp_path) == ["images"]


def test_failure_leaves_the_folder_and_no_litter(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "kept").touch()
    with pytest.raises(RuntimeError), replaced_folder(folder) as new:
        (new / "half").touch()
        raise RuntimeError
    assert names(folder) == ["kept"]
    assert names(tmp_path) == ["images"]


def test_leftovers_of_a_killed_job_are_cleared(tmp_path):
    folder = tmp_path / "images"
    with replaced_folder(folder) as new:
        left = new
    left.mkdir()
    (left / "half").touch()
    with replaced_folder(folder) as new:
        (new / "whole").touch()
    assert names(folder) == ["whole"]
    assert names(tmp_path) == ["images"]


def test_csv_quotes_what_needs_it(tmp_path):
    write_csv(tmp_path / "a.csv", [{"x": 1, "y": "a,b"}, {"x": 2, "y": ""}])
    assert (tmp_path / "a.csv").read_bytes() == b'x,y\n1,"a,b"\n2,\n'


def test_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"otolith")
    assert sha256(tmp_path / "a") == hashlib.sha256(b"otolith").hexdigest()
