from collections import Counter

import numpy as np
import pytest
from bakeoff.demo import drawings
from bakeoff.demo.drawings import ACTIVITIES, GENDERS, TONES


def test_every_activity_has_one_drawing_of_each_gender_and_tone():
    kinds = Counter((d.activity, d.gender, d.tone) for d in drawings.examples())
    assert set(kinds) == {(a, g, t) for a in ACTIVITIES for g in GENDERS for t in TONES}
    assert set(kinds.values()) == {1}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("1F6B4", ("biking", "person", "")),
        ("1F6B4-1F3FC-200D-2640-FE0F", ("biking", "woman", "medium-light")),
        ("1F93D-1F3FF-200D-2642-FE0F", ("playing water polo", "man", "dark")),
        ("1F9D8-1F3FD", ("in lotus position", "person", "medium")),
    ],
)
def test_known_drawings(code, kind):
    (drawing,) = [d for d in drawings.examples() if d.code == code]
    assert (drawing.activity, drawing.gender, drawing.tone) == kind


def test_no_variant_of_an_activity_is_training_material():
    names = [drawing.name for drawing in drawings.material()]
    shown = [
        name
        for name in names
        if name.startswith(GENDERS) and any(activity in name for activity in ACTIVITIES)
    ]
    assert shown == []
    variants = {d.concept for d in drawings.drawings() if d.depicts and not d.activity}
    assert "woman mountain biking" in variants
    assert "man running facing right" in variants


def test_what_only_sounds_like_an_activity_stays():
    names = {drawing.name for drawing in drawings.material()}
    assert {"running shoe", "bicycle", "growing heart", "bow and arrow"} <= names
    assert len(names) > 3500


def test_material_and_activities_share_no_code():
    codes = {drawing.code for drawing in drawings.examples()}
    assert not codes & {drawing.code for drawing in drawings.material()}


@pytest.mark.parametrize(
    ("name", "concept"),
    [
        ("honeybee", "honeybee"),
        ("man cook medium-light skin tone", "man cook"),
        ("kiss man man medium skin tone light skin tone", "kiss man man"),
    ],
)
def test_concept_is_the_name_without_tones(name, concept):
    assert drawings.Drawing("0", name).concept == concept


def test_rendering_is_square_and_transparent_around_the_drawing():
    pixels = np.asarray(drawings.render(drawings.examples()[0], 40))
    assert pixels.shape == (40, 40, 4)
    assert pixels[0, 0, 3] == 0
    assert pixels[..., 3].max() == 255
