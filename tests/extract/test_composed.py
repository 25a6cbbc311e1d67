"""Derived encoders: what their parts have embedded is never encoded again."""

from pathlib import Path

import numpy as np
import pytest
from bakeoff import images
from bakeoff.encode import encode_files
from bakeoff.encoders import load_encoder, open_folder
from bakeoff.encoders.compose import compose
from bakeoff.encoders.derive import derive
from bakeoff.encoders.openclip import OpenClip
from bakeoff.extract import extract_images, extract_texts
from bakeoff.store import files, refuse_mixture
from bakeoff.tables import vectors


@pytest.fixture
def run(images, manifest, encoder_folder, tmp_path):
    def run(folder: Path, **changes):
        options = {"encoder_id": folder.name, "store": tmp_path / "store"}
        options |= {"device": "cpu", "precision": "fp32", "batch_size": 4}
        options |= {"shard_size": 4, "progress": False, **changes}
        table = options.pop("manifest") if "manifest" in options else manifest()
        return extract_images(table, images, folder, **options)

    return run


@pytest.fixture
def seen(monkeypatch) -> dict[str, int]:
    """How many pictures were decoded, and how many encoded, from here on."""
    counts = {"decoded": 0, "encoded": 0}
    decode, encode_images = images.decode, OpenClip.encode_images

    def counted_decode(*args, **options):
        counts["decoded"] += 1
        return decode(*args, **options)

    def counted_encode(self, batch):
        counts["encoded"] += len(batch)
        return encode_images(self, batch)

    monkeypatch.setattr(images, "decode", counted_decode)
    monkeypatch.setattr(OpenClip, "encode_images", counted_encode)
    # Not counted: the one blank picture that tells whether the dimension is right.
    for name in (
        "bakeoff.encoders.dimension_of",
        "bakeoff.encoders.check.dimension_of",
    ):
        monkeypatch.setattr(name, lambda encoder: encoder.dimension)
    return counts


@pytest.fixture
def scales(encoder_folder, tmp_path) -> Path:
    folder = tmp_path / "scales"
    derive(
        folder, "scales", "concatenate", [(encoder_folder, None), (encoder_folder, 32)]
    )
    return folder


@pytest.mark.parametrize("kind", ["concatenate", "average"])
def test_vectors_are_those_of_the_derived_encoder(
    run, images, manifest, encoder_folder, tmp_path, kind
):
    folder = tmp_path / "made"
    derive(folder, "made", kind, [(encoder_folder, None), (encoder_folder, 32)])
    table, origin = run(folder)
    rows = manifest().sort_by("image_id")
    paths = [images / path for path in rows["path"].to_pylist()]
    expected = encode_files(load_encoder(folder), paths)
    assert table["image_id"].to_pylist() == rows["image_id"].to_pylist()
    np.testing.assert_allclose(vectors(table), expected, atol=1e-6)
    assert origin["dimension"] == expected.shape[1] == (32 if kind[0] == "c" else 16)
    assert origin["resolution"] == 32
    assert files(origin["key"]) == files(open_folder(folder).key(precision="fp32"))


def test_several_resolutions_from_one_decoding(run, scales, encoder_folder, seen):
    table, _ = run(scales)
    assert seen == {"decoded": 9, "encoded": 18}
    parts = [run(encoder_folder, resolution=r)[0] for r in (None, 32)]
    assert seen == {"decoded": 9, "encoded": 18}
    expected = compose("concatenate", [vectors(part) for part in parts])
    np.testing.assert_array_equal(vectors(table), expected)


def test_parts_that_are_embedded_are_not_encoded_again(
    run, scales, encoder_folder, seen, add_image
):
    run(encoder_folder)
    assert seen == {"decoded": 9, "encoded": 9}
    add_image(77)
    table, _ = run(scales)
    assert table.num_rows == 10
    assert seen == {"decoded": 19, "encoded": 9 + 9 + 2}
    again, _ = run(scales)
    assert again.equals(table) and seen["encoded"] == 20


def test_a_part_may_be_derived_itself(run, scales, encoder_folder, tmp_path, seen):
    quarters, nested = tmp_path / "quarters", tmp_path / "nested"
    derive(quarters, "quarters", "tiles", [(encoder_folder, None)])
    derive(nested, "nested", "average", [(encoder_folder, None), (quarters, None)])
    both = tmp_path / "both"
    derive(both, "both", "concatenate", [(nested, None), (scales, None)])
    table, origin = run(both)
    assert seen == {"decoded": 9, "encoded": 9 + 9 * 4 + 9}
    parts = [vectors(run(folder)[0]) for folder in (nested, scales)]
    assert seen["decoded"] == 9
    np.testing.assert_array_equal(vectors(table), compose("concatenate", parts))
    assert origin["dimension"] == 48


def test_no_images(run, scales, manifest):
    table, origin = run(scales, manifest=manifest().slice(0, 0))
    assert table.num_rows == 0 and origin["dimension"] == 32
    assert table["embedding"].type.list_size == 32


def test_texts_are_composed_too_and_fit_the_images(
    run, scales, encoder_folder, tmp_path
):
    rows = [
        {"class": "even", "template": 0, "text": "an even number"},
        {"class": "odd", "template": 0, "text": "a photo of three"},
    ]
    options = {"store": tmp_path / "store", "device": "cpu"}
    columns, origin = extract_texts(rows, scales, encoder_id="scales", **options)
    expected = load_encoder(scales).encode_texts([row["text"] for row in rows])
    np.testing.assert_allclose(columns["embedding"], expected.numpy(), atol=1e-6)
    _, of_images = run(scales)
    refuse_mixture(images=of_images, texts=origin)
    assert files(origin["key"]) == files(open_folder(scales).key(precision="fp32"))
    assert len(list((tmp_path / "store").glob("*/shards/*"))) == 3 + 3 + 1


def test_parts_of_several_precisions(run, scales, tmp_path, monkeypatch):
    """Each part keeps what was settled for it; a query to the whole is then exact."""
    chosen = iter(["bf16", "fp32"])
    monkeypatch.setattr(
        "bakeoff.encoders.hardware.probe_precision", lambda *_: next(chosen)
    )
    other = tmp_path / "other"
    derive(other, "other", "tiles", [(scales, None)])
    whole = tmp_path / "whole"
    parts = open_folder(scales).parts
    derive(whole, "whole", "concatenate", [parts[0], (other, None)])
    _, origin = run(whole, precision="auto")
    assert [part["precision"] for part in origin["key"]["parts"]] == ["bf16", "fp32"]
    assert origin["key"]["precision"] == "fp32"


def test_composing_by_hand():
    a = np.array([[3.0, 4.0], [0.0, 0.0]], np.float32)
    b = np.array([[0.0, 2.0], [1.0, 0.0]], np.float32)
    half = np.sqrt(0.5)
    side = [[0.6 * half, 0.8 * half, 0, half], [0, 0, half, 0]]
    np.testing.assert_allclose(compose("concatenate", [a, b]), side, rtol=1e-6)
    np.testing.assert_allclose(compose("average", [a, b]), [[0.3, 0.9], [0.5, 0]])
    assert compose("average", [a, b]).dtype == np.float32
