"""The gallery: one entry per image, predictions where they belong."""

import base64
import io

import numpy as np
from bakeoff.figures.frames import frames
from bakeoff.gallery import make_gallery, thumbnail
from PIL import Image


def picture(path):
    """A picture whose colour follows from its name."""
    shade = sum(path.name.encode()) % 256
    return Image.new("RGB", (60, 30), (shade, 0, 255 - shade))


def gallery_of(study, folder, **choices):
    return make_gallery(
        manifest=study.manifest,
        predictions=study.predictions,
        folder=folder,
        read=picture,
        **choices,
    )


def test_every_image_with_every_prediction(activities, tmp_path):
    made = gallery_of(activities, tmp_path, method="ridge")
    assert len(made.paths) == activities.manifest.num_rows == len(set(made.paths))
    assert made.paths == sorted(made.paths)
    rows = frames(
        activities.predictions,
        ["image_id", "y_true", "y_pred", "encoder", "method", "repeat"],
    )
    rows = rows[(rows["method"] == "ridge") & (rows["repeat"] == 0)]
    path = dict(
        zip(*(activities.manifest.column(c).to_pylist() for c in ("image_id", "path")),
            strict=True)
    )  # fmt: skip
    place = {name: i for i, name in enumerate(made.paths)}
    for row in rows.itertuples():
        i = place[path[row.image_id]]
        e = made.encoders.index(row.encoder)
        assert made.classes[made.called[i][e]] == row.y_pred
        assert made.classes[made.truth[i]] == row.y_true


def test_percentages_only_from_probabilities(activities, otoliths, tmp_path):
    sure = np.array(gallery_of(activities, tmp_path, method="ridge").sure)
    assert sure.shape == (300, 3)
    assert 0 < sure.min() <= sure.max() <= 100
    assert gallery_of(otoliths, tmp_path).sure is None


def test_of_very_many_images_the_same_sample(activities, tmp_path):
    every = gallery_of(activities, tmp_path, method="ridge")
    some = gallery_of(activities, tmp_path, method="ridge", most=40)
    assert (len(every.paths), every.left_out) == (300, 0)
    assert (len(some.paths), some.left_out) == (40, 260)
    ids, paths = (
        activities.manifest.column(n).to_pylist() for n in ("image_id", "path")
    )
    first = sorted(zip(ids, paths, strict=True))[:40]
    assert some.paths == sorted(path for _, path in first)
    place = {name: i for i, name in enumerate(every.paths)}
    assert some.called == [every.called[place[name]] for name in some.paths]
    assert some.thumbnails == [every.thumbnails[place[name]] for name in some.paths]


def test_threads_change_nothing(activities, tmp_path):
    one, two = (
        gallery_of(activities, tmp_path, method="ridge", threads=n) for n in (1, 2)
    )
    assert one == two


def test_thumbnail_keeps_its_shape():
    code = thumbnail(Image.new("RGB", (300, 100), "red"), 72)
    assert Image.open(io.BytesIO(base64.b64decode(code))).size == (72, 24)
