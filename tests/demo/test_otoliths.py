import csv
from collections import Counter

import numpy as np
import pytest
from bakeoff.demo import otoliths
from bakeoff.demo.otoliths import Slide, age_counts, draw_otolith, misread, ring_count
from PIL import Image
from scipy import signal, stats

CLEAR = Slide(
    contrast=0.4,
    light=np.zeros(2),
    tint=np.ones(3),
    focus=0.001,
    background=0.0,
)


def listed(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("otoliths")
    otoliths.write_otoliths(place / "images", place / "list.csv", seed=2, n=40, size=32)
    return place


def test_twice_is_the_same_to_the_byte(made, tmp_path):
    otoliths.write_otoliths(tmp_path / "b", tmp_path / "b.csv", seed=2, n=40, size=32)
    assert (tmp_path / "b.csv").read_bytes() == (made / "list.csv").read_bytes()


def test_listing(made):
    rows = listed(made / "list.csv")
    assert list(rows[0]) == ["path", "label", "group", "sha256"]
    assert Counter(int(row["label"]) for row in rows) == {
        age: count for age, count in enumerate(age_counts(40), start=1) if count
    }
    assert Counter(row["group"] for row in rows) == {
        "slide_000": 18,
        "slide_001": 18,
        "slide_002": 4,
    }
    for row in rows:
        assert otoliths.sha256(made / "images" / row["path"]) == row["sha256"]


def test_age_counts_by_hand():
    """1,170 x 110 / 8,637 = 14.90 -> 15; 223 -> 30.21, rounded down; 412 -> 55.81."""
    counts = age_counts(1170)
    assert counts.sum() == 1170
    assert (counts[0], counts[1], counts[9]) == (15, 30, 56)


@pytest.mark.parametrize("n", [0, 1, 7, 100, 8637])
def test_age_counts_add_up_and_never_stray_by_one(n):
    merged = np.append(otoliths.COD[:9], otoliths.COD[9:].sum())
    counts = age_counts(n)
    assert counts.sum() == n
    assert (abs(counts - n * merged / merged.sum()) < 1).all()


@pytest.mark.parametrize("age", [1, 5, 9])
def test_reading_error_is_as_stated(age):
    rng = np.random.default_rng(age)
    rings = np.array([ring_count(age, rng) for _ in range(4000)])
    assert set(rings) == {max(1, age - 1), age, age + 1}
    wrong = int((rings != age).sum())
    stated = misread(age) * (0.5 if age == 1 else 1)  # no otolith has no ring
    assert stats.binomtest(wrong, 4000, stated).pvalue > 1e-3


def test_read_as_ten_may_be_older():
    rng = np.random.default_rng(0)
    rings = [ring_count(10, rng) for _ in range(2000)]
    assert min(rings) == 9
    assert 13 < max(rings) <= 18


@pytest.mark.parametrize("seed", range(5))
def test_every_ring_is_a_dark_line_at_its_radius(seed):
    """Along one ray of the body, whose rings were put at known places."""
    radii = np.array([0.08, 0.15, 0.21, 0.26, 0.3, 0.34])  # five rings and the edge
    distance = np.tile(np.linspace(0, radii[-1], 512), (512, 1))
    rng = np.random.default_rng(seed)
    grey = otoliths._body(distance, np.zeros_like(distance), radii, CLEAR, rng)
    dark, _ = signal.find_peaks(-grey.mean(axis=0), prominence=0.1)
    found = distance[0, dark]
    assert all(min(abs(found - radius)) < 0.003 for radius in radii[:-1])
    assert len(found) - 5 <= 3  # false rings, if any


def test_more_rings_make_a_larger_otolith():
    def area(rings):
        pixels = [
            np.asarray(draw_otolith(rings, CLEAR, np.random.default_rng(s), 64))
            for s in range(10)
        ]
        return np.mean(np.stack(pixels) > 60)

    assert area(1) < area(3) < area(6) < area(10)


def test_growth_slows_with_age():
    increments = np.mean(
        [np.diff(otoliths._radii(8, np.random.default_rng(s))) for s in range(300)],
        axis=0,
    )
    assert (np.diff(increments[:-1]) < 0).all()  # the last year is not over


def test_otoliths_of_a_slide_share_its_light_and_no_others(made):
    rows = listed(made / "list.csv")
    corner = {}
    for row in rows:
        pixels = np.asarray(Image.open(made / "images" / row["path"]))
        corner.setdefault(row["group"], []).append(pixels[:4, :4].mean())
    within = np.mean([np.std(values) for values in corner.values()])
    between = np.std([np.mean(values) for values in corner.values()])
    assert between > 3 * within
