import csv
import hashlib
from collections import Counter

import pytest
from bakeoff.demo.activities import split, write_activities
from bakeoff.demo.drawings import ACTIVITIES, GENDERS, TONES, Drawing, examples
from PIL import Image


def listed(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("activities")
    write_activities(
        place / "images", place / "list.csv", seed=5, scenes_per_drawing=2, size=24
    )
    return place


def test_twice_is_the_same_to_the_byte(made, tmp_path):
    write_activities(
        tmp_path / "b", tmp_path / "b.csv", seed=5, scenes_per_drawing=2, size=24
    )
    assert (tmp_path / "b.csv").read_bytes() == (made / "list.csv").read_bytes()


def test_listing_names_every_file_and_its_hash(made):
    rows = listed(made / "list.csv")
    assert list(rows[0]) == ["path", "label", "split", "group", "sha256"]
    files = {
        path.relative_to(made / "images").as_posix(): path
        for path in (made / "images").rglob("*.jpg")
    }
    assert {row["path"] for row in rows} == set(files)
    assert len(rows) == 270 * 2
    for row in rows:
        data = files[row["path"]].read_bytes()
        assert row["sha256"] == hashlib.sha256(data).hexdigest()
        assert row["path"].split("/")[:2] == [row["split"], row["label"]]
    assert Image.open(files[rows[0]["path"]]).size == (24, 24)


def test_no_two_scenes_are_alike(made):
    hashes = [row["sha256"] for row in listed(made / "list.csv")]
    assert len(set(hashes)) == len(hashes)


def test_a_drawing_never_straddles_the_split(made):
    sides = {(row["group"], row["split"]) for row in listed(made / "list.csv")}
    assert len(sides) == len({group for group, _ in sides}) == 270


def test_another_seed_makes_other_images(made, tmp_path):
    write_activities(
        tmp_path / "b", tmp_path / "b.csv", seed=6, scenes_per_drawing=1, size=24
    )
    before = {row["sha256"] for row in listed(made / "list.csv")}
    assert not before & {row["sha256"] for row in listed(tmp_path / "b.csv")}


def test_split_is_balanced_in_gender_and_tone_within_every_activity():
    tested = [drawing for drawing in examples() if split(drawing) == "test"]
    for activity in ACTIVITIES:
        mine = [drawing for drawing in tested if drawing.activity == activity]
        assert Counter(d.gender for d in mine) == dict.fromkeys(GENDERS, 2)
        assert Counter(d.tone for d in mine) == dict.fromkeys(TONES, 1)


def test_split_by_hand():
    """Biking (a = 0): yellow person 0 + 0, light person 0 + 1, light woman 2 + 1."""
    assert split(Drawing("", "", True, "biking", "person", "")) == "test"
    assert split(Drawing("", "", True, "biking", "person", "light")) == "train"
    assert split(Drawing("", "", True, "biking", "woman", "light")) == "test"
