import dataclasses
import io

import numpy as np
import pytest
from bakeoff.demo.scenes import FULL, Variation, compose, jpeg
from PIL import Image


@pytest.fixture
def square():
    """Pure green, opaque everywhere."""
    return Image.new("RGBA", (32, 32), (0, 255, 0, 255))


def scene(drawing, seed, variation=FULL):
    return compose(drawing, np.random.default_rng(seed), 48, variation)


def test_same_generator_same_scene(square):
    assert scene(square, 3).tobytes() == scene(square, 3).tobytes()
    assert scene(square, 3).tobytes() != scene(square, 4).tobytes()


def test_scene_is_rgb_of_the_size_asked_for(square):
    assert (scene(square, 0).mode, scene(square, 0).size) == ("RGB", (48, 48))


def test_without_variation_the_drawing_fills_its_share(square):
    plain = dataclasses.replace(FULL.weaker(0), scale=(0.5, 0.5))
    pixels = np.asarray(scene(square, 1, plain)).astype(int)
    green = (abs(pixels - [0, 255, 0]) <= 1).all(axis=2)
    assert green.sum() == 24 * 24


@pytest.mark.parametrize("seed", range(20))
def test_the_drawing_always_lies_inside(square, seed):
    """With rotation off, all of the square is seen wherever it is put."""
    plain = dataclasses.replace(FULL.weaker(0), scale=(0.4, 0.9))
    pixels = np.asarray(scene(square, seed, plain)).astype(int)
    rows, columns = np.nonzero((abs(pixels - [0, 255, 0]) <= 1).all(axis=2))
    assert np.ptp(rows) == np.ptp(columns) >= 18


def test_weaker_runs_from_nothing_to_all():
    assert FULL.weaker(1) == FULL
    none = FULL.weaker(0)
    assert none.scale == (FULL.scale[1], FULL.scale[1])
    numbers = dataclasses.asdict(none)
    assert {v for key, v in numbers.items() if key != "scale"} == {0}
    half = Variation(rotation=10, clutter=4).weaker(0.5)
    assert (half.rotation, half.clutter) == (5, 2)


def test_jpeg_quality_stays_in_its_bounds(square):
    noise = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    picture = Image.fromarray(noise)
    poor, good = (
        jpeg(picture, np.random.default_rng(0), quality)
        for quality in ((10, 10), (95, 95))
    )
    assert len(poor) < len(good)
    assert Image.open(io.BytesIO(good)).size == (48, 48)
