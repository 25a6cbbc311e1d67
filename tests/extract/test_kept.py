"""Which vectors are taken from where: images apart from texts, each resolution apart."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from bakeoff.encoders import load_encoder, open_folder
from bakeoff.encoders.derive import derive
from bakeoff.errors import BakeoffError
from bakeoff.extract import extract_images, extract_texts
from bakeoff.kept import image_sources, settled_precision, text_sources
from bakeoff.store import Shelf
from bakeoff.tables import read_table, vectors


def shelves(sources) -> dict[int | None, Path]:
    return {source.resolution: source.shelf.folder for source in sources}


def test_texts_and_images_have_shelves_of_their_own(encoder_folder, tmp_path):
    """Though the encoder, its precision and its files are the same."""
    weights = open_folder(encoder_folder)
    _, images = image_sources(weights, tmp_path, None, "fp32", "cpu")
    _, texts = text_sources(weights, tmp_path)
    assert images[0].shelf.folder != texts[0].shelf.folder


def test_a_text_is_never_answered_with_an_image(encoder_folder, tmp_path):
    """A vector under the text's own id on the images' shelf is not the text's."""
    row = {"class": "odd", "template": 0, "text": "a photo of three"}
    options = {"encoder_id": "small", "store": tmp_path, "device": "cpu"}
    expected = load_encoder(encoder_folder).encode_texts([row["text"]]).numpy()
    weights = open_folder(encoder_folder)
    _, (images,) = image_sources(weights, tmp_path, None, "fp32", "cpu")
    _, (texts,) = text_sources(weights, tmp_path)
    extract_texts([row], encoder_folder, **options)
    (shard,) = texts.shelf.shards()
    (identity,) = read_table(shard, "embeddings")["image_id"].to_pylist()
    images.shelf.add([identity], np.full((1, 16), 7, np.float32))
    columns, _ = extract_texts([row], encoder_folder, **options)
    np.testing.assert_allclose(columns["embedding"], expected, atol=1e-6)


def test_a_part_keeps_its_own_resolution(encoder_folder, tmp_path):
    """Another resolution of the whole is for the parts that name none."""
    derive(
        tmp_path / "scales",
        "scales",
        "concatenate",
        [(encoder_folder, None), (encoder_folder, 32)],
    )
    weights, store = open_folder(tmp_path / "scales"), tmp_path / "store"
    kept, sources = image_sources(weights, store, 48, "fp32", "cpu")
    assert set(shelves(sources)) == {48, 32}
    resolutions = [part["resolution"] for part in kept.key["parts"]]
    assert resolutions == [48, 32]
    assert weights.key(precision="fp32", resolution=48)["parts"] == kept.key["parts"]


def test_vectors_of_a_part_are_those_of_its_own_resolution(
    images, manifest, encoder_folder, tmp_path
):
    parts = [(encoder_folder, None), (encoder_folder, 32)]
    derive(tmp_path / "scales", "scales", "concatenate", parts)
    options = {"store": tmp_path / "store", "precision": "fp32", "progress": False}
    options |= {"device": "cpu"}

    def run(folder: Path, **changes) -> np.ndarray:
        given = options | {"encoder_id": folder.name} | changes
        return vectors(extract_images(manifest(), images, folder, **given)[0])

    whole = run(tmp_path / "scales", resolution=48)
    alone = run(encoder_folder, resolution=32, store=tmp_path / "other")
    unit = alone / np.linalg.norm(alone, axis=1, keepdims=True) / np.sqrt(2)
    np.testing.assert_allclose(whole[:, 16:], unit, atol=1e-6)
    assert not np.allclose(whole[:, :16], unit, atol=1e-3)


def test_precision_is_settled_for_each_encoder(
    encoder_folder, save_encoder, tmp_path, monkeypatch
):
    chosen = iter(["bf16", "fp32"])
    monkeypatch.setattr(
        "bakeoff.encoders.hardware.probe_precision", lambda *_: next(chosen)
    )
    folders = [encoder_folder, save_encoder(tmp_path / "small", seed=1)]
    for _ in range(2):
        found = [
            settled_precision("auto", open_folder(f), tmp_path / "store", "cpu")
            for f in folders
        ]
        assert found == ["bf16", "fp32"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_vectors_that_are_not_finite_are_never_kept(tmp_path, bad):
    shelf = Shelf(tmp_path, {"model": "x"})
    rows = np.array([[1, 2], [3, bad]], np.float32)
    with pytest.raises(BakeoffError, match=r"1 vectors .*'b'"):
        shelf.add(["a", "b"], rows)
    assert shelf.shards() == []


def test_shards_that_begin_alike_are_two(tmp_path):
    shelf = Shelf(tmp_path, {"model": "x"})
    shelf.add(["a", "b"], np.zeros((2, 2), np.float32))
    shelf.add(["a", "c"], np.zeros((2, 2), np.float32))
    assert len(shelf.shards()) == 2
    assert shelf.lacks(pa.array(["a", "b", "c", "d"])).tolist() == [False] * 3 + [True]
