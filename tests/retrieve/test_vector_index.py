"""The index: exact answers by hand, approximate ones against them, refusals by name."""

import numpy as np
import pytest
from bakeoff.errors import BakeoffError
from bakeoff.indexing import build_index
from bakeoff.retrieve import VectorIndex, describe
from bakeoff.tables import read_table, write_table

ENCODER = "clip"
KEY = {"files": {"model.safetensors": "aa"}, "precision": "fp32"}
OTHER = {"files": {"model.safetensors": "bb"}, "precision": "fp32"}


def tables(folder, images, texts=None, *, encoder=ENCODER, key=KEY):
    """Embeddings, manifest and texts as the workflow writes them."""
    ids = [f"{i:06d}" for i in range(len(images))]
    note = {"encoder": encoder, "key": key}
    write_table(
        folder / "embeddings.parquet",
        "embeddings",
        {"image_id": ids, "embedding": np.asarray(images, np.float32)},
        note,
    )
    n = len(ids)
    write_table(
        folder / "manifest.parquet",
        "manifest",
        {
            "image_id": ids, "path": [f"{i}.jpg" for i in ids], "label": ["x"] * n,
            "split": [""] * n, "width": [1] * n, "height": [1] * n,
        },
    )  # fmt: skip
    made = {
        "images": read_table(folder / "embeddings.parquet", "embeddings"),
        "manifest": read_table(folder / "manifest.parquet", "manifest"),
    }
    if texts is not None:
        write_table(
            folder / "texts.parquet",
            "texts",
            {
                "class": ["x"] * len(texts),
                "template": list(range(len(texts))),
                "text": [f"text {i}" for i in range(len(texts))],
                "embedding": np.asarray(texts, np.float32),
            },
            note,
        )
        made["texts"] = read_table(folder / "texts.parquet", "texts")
    return made


def names(hits):
    return [hit.name for hit in hits]


def test_nearest_by_hand_whatever_the_length(tmp_path):
    images = [[10, 0], [0, 1], [3, 3]]
    build_index(tmp_path / "i", **tables(tmp_path, images, [[0, 5]]))
    index = VectorIndex(tmp_path / "i")
    (hits,) = index.search(np.array([2.0, 0.1]), encoder=ENCODER, count=3)
    assert names(hits) == ["000000", "000002", "000001"]
    assert hits[1].cosine == pytest.approx(2.1 / np.sqrt(4.01 * 2), abs=1e-6)
    assert (hits[0].path, hits[0].kind) == ("000000.jpg", "image")


def test_images_and_texts_in_one_index(tmp_path):
    build_index(tmp_path / "i", **tables(tmp_path, [[1, 0], [0, 1]], [[0, 2]]))
    index = VectorIndex(tmp_path / "i")
    query = np.array([0.0, 1.0])
    (texts,) = index.search(query, encoder=ENCODER, kinds=("text",))
    assert names(texts) == ["text 0"]
    (both,) = index.search(query, encoder=ENCODER, kinds=("image", "text"))
    assert names(both) == ["000001", "text 0", "000000"]


def test_raw_vectors_are_kept(tmp_path):
    images = np.random.default_rng(0).normal(size=(5, 8)) * 7
    build_index(tmp_path / "i", **tables(tmp_path, images))
    np.testing.assert_array_equal(
        np.load(tmp_path / "i/vectors.npy"), images.astype(np.float32)
    )


def test_exact_search_agrees_with_a_sort_over_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("bakeoff.neighbours.BLOCK", 16)
    rng = np.random.default_rng(1)
    images, queries = rng.normal(size=(33, 6)), rng.normal(size=(4, 6))
    build_index(tmp_path / "i", **tables(tmp_path, images))
    found = VectorIndex(tmp_path / "i").search(queries, encoder=ENCODER, count=7)
    unit = images / np.linalg.norm(images, axis=1, keepdims=True)
    order = np.argsort(-queries @ unit.T, axis=1)[:, :7]
    assert [names(hits) for hits in found] == [[f"{i:06d}" for i in o] for o in order]


def test_graph_meets_its_target_and_says_so(tmp_path):
    rng = np.random.default_rng(2)
    centres = rng.normal(size=(30, 24))
    images = centres[rng.integers(30, size=3000)] + 0.4 * rng.normal(size=(3000, 24))
    texts = centres + 0.3 * rng.normal(size=(30, 24))
    made = tables(tmp_path, images, texts)
    parts = build_index(tmp_path / "graph", **made, exact_below=100, threads=1)
    build_index(tmp_path / "exact", **made)
    assert [part.exact for part in parts] == [False, True]
    assert parts[0].recall >= 0.95
    assert describe(parts)["image"]["vectors"] == 3000
    graph, exact = VectorIndex(tmp_path / "graph"), VectorIndex(tmp_path / "exact")
    queries = rng.normal(size=(20, 24))
    overlap = [
        len({h.name for h in a} & {h.name for h in b}) / 10
        for a, b in zip(
            graph.search(queries, encoder=ENCODER),
            exact.search(queries, encoder=ENCODER),
            strict=True,
        )
    ]
    assert np.mean(overlap) >= 0.9


def test_cosines_of_the_graph_are_exact(tmp_path):
    rng = np.random.default_rng(3)
    images = rng.normal(size=(300, 16))
    build_index(tmp_path / "i", **tables(tmp_path, images), exact_below=1, threads=1)
    (hits,) = VectorIndex(tmp_path / "i").search(images[5], encoder=ENCODER, count=1)
    assert (hits[0].name, hits[0].cosine) == ("000005", pytest.approx(1, abs=1e-6))


def test_asking_for_more_than_there_is(tmp_path):
    build_index(tmp_path / "i", **tables(tmp_path, [[1, 0], [0, 1]]))
    (hits,) = VectorIndex(tmp_path / "i").search(
        np.array([1.0, 0.0]), encoder=ENCODER, count=50
    )
    assert len(hits) == 2


@pytest.mark.parametrize(
    ("query", "asked", "words"),
    [
        ([1, 0], {"encoder": "siglip"}, "vectors of siglip.*expected vectors of clip"),
        ([1, 0], {"encoder": ENCODER, "key": OTHER}, "other weights"),
        ([1, 0, 0], {"encoder": ENCODER}, "length 3.*expected length 2"),
        ([0, 0], {"encoder": ENCODER}, "zero or not finite"),
        ([np.nan, 0], {"encoder": ENCODER}, "zero or not finite"),
    ],
)
def test_refusals(tmp_path, query, asked, words):
    build_index(tmp_path / "i", **tables(tmp_path, [[1, 0], [0, 1]]))
    with pytest.raises(BakeoffError, match=words):
        VectorIndex(tmp_path / "i").search(np.array(query, float), **asked)


def test_two_encoders_never_share_an_index(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    made = tables(tmp_path / "one", [[1, 0]])
    other = tables(tmp_path / "two", [[1, 0]], [[1, 0]], encoder="siglip")
    with pytest.raises(BakeoffError, match="images of clip and texts of siglip"):
        build_index(tmp_path / "i", **made, texts=other["texts"])


def test_vectors_without_direction_leave_no_index(tmp_path):
    made = tables(tmp_path, [[1, 0], [0, 0]])
    with pytest.raises(BakeoffError, match="1 image vectors that are zero"):
        build_index(tmp_path / "i", **made)
    assert not (tmp_path / "i").exists()
    with pytest.raises(BakeoffError, match="no index"):
        VectorIndex(tmp_path / "i")


def test_images_that_the_manifest_lacks(tmp_path):
    made = tables(tmp_path, [[1, 0], [0, 1]])
    made["manifest"] = made["manifest"].slice(0, 1)
    with pytest.raises(BakeoffError, match="1 images that the manifest lacks"):
        build_index(tmp_path / "i", **made)


@pytest.mark.parametrize("text", ["{}", "[]", '{"encoder": "clip"}', "[" * 5000, "{"])
def test_a_damaged_description_is_named(tmp_path, text):
    build_index(tmp_path / "i", **tables(tmp_path, [[1, 0]]))
    (tmp_path / "i" / "index.json").write_text(text)
    with pytest.raises(BakeoffError, match=r"index\.json: got "):
        VectorIndex(tmp_path / "i")
