"""Retrieval on a matrix done by hand."""

import numpy as np
import pyarrow as pa
import pytest
from bakeoff.metrics import retrieval as module
from bakeoff.metrics.retrieval import both_ways, retrieval, retrieval_rows
from bakeoff.tables import read_table, write_table

# Cosines of three images (rows) with three texts, by angle.
IMAGES = np.array([[1.0, 0], [0, 2], [1, 1]])
TEXTS = np.array([[3.0, 0], [0, 1], [1, 0.9]])
IMAGE_LABELS = np.array(["a", "b", "b"])
TEXT_LABELS = np.array(["a", "b", "c"])


def test_both_ways_by_hand():
    found = both_ways(IMAGES, TEXTS, IMAGE_LABELS, TEXT_LABELS, ks=(1, 2, 3))
    to_text, to_image = found["image_to_text"], found["text_to_image"]
    # Image 3 is nearest to text c, then to a and b alike: b counts as last.
    assert to_text.recall == pytest.approx({1: 2 / 3, 2: 2 / 3, 3: 1})
    assert to_text.n == 3 and to_text.left_out == 0
    # Average precision of the tied pair a, b at ranks 2 and 3: 1/3.
    assert to_text.mean_average_precision == pytest.approx((1 + 1 + 1 / 3) / 3)
    # Text c has no image; text b finds images 2, 3, then 1.
    assert (to_image.n, to_image.left_out) == (2, 1)
    assert to_image.recall == {1: 1, 2: 1, 3: 1}
    assert to_image.mean_average_precision == 1


def test_blocks_do_not_matter(monkeypatch):
    rng = np.random.default_rng(0)
    data = rng.normal(size=(9, 4)), rng.normal(size=(7, 4))
    labels = rng.integers(0, 3, 9), rng.integers(0, 3, 7)
    whole = retrieval(*data, *labels)
    monkeypatch.setattr(module, "_ROWS", 4)
    assert retrieval(*data, *labels) == whole


def test_equal_vectors_are_not_perfect_retrieval():
    ones = np.ones((4, 2))
    found = retrieval(ones, ones, np.arange(4), np.arange(4), ks=(1, 4))
    assert found.recall == {1: 0, 4: 1}


def test_nothing_relevant():
    found = retrieval(IMAGES, TEXTS, np.array(["x"] * 3), TEXT_LABELS)
    assert found.n == 0 and np.isnan(found.mean_average_precision)


@pytest.fixture
def tables(tmp_path):
    """A manifest and the vectors of six images, and those of two texts, as written."""
    origin = {"encoder": "e", "key": {"files": {"w": "1"}}}
    ids = [f"{i:064x}" for i in range(6)]
    images = np.array([[0.0, 1], [1, 0], [1, 0], [0, 1], [1, 0], [0, 1]], np.float32)
    texts = {"class": ["a", "b"], "template": [0, 0], "text": ["an a", "a b"]}
    texts["embedding"] = np.eye(2, dtype=np.float32)
    columns = {"image_id": ids, "embedding": images}
    write_table(tmp_path / "e.parquet", "embeddings", columns, origin)
    write_table(tmp_path / "t.parquet", "texts", texts, origin)
    embeddings = read_table(tmp_path / "e.parquet", "embeddings")
    return ids, embeddings, read_table(tmp_path / "t.parquet", "texts")


@pytest.mark.parametrize(
    ("split", "protocol", "hits", "n"),
    [(["train"] * 2 + ["test"] * 4, "test", 4, 4), ([""] * 6, "all", 4, 6)],
)
def test_only_test_images_are_scored_where_there_are_some(
    tables, split, protocol, hits, n
):
    """The two training images are wrong, the four others right; rows in any order."""
    ids, embeddings, texts = tables
    manifest = pa.table(
        {"image_id": ids, "label": ["a", "b", "a", "b", "a", "b"], "split": split}
    ).take([5, 0, 3, 1, 2, 4])
    rows = retrieval_rows("s", manifest, embeddings, texts)
    place = rows["metric"].index("image_to_text_recall_1")
    assert set(rows["protocol"]) == {protocol}
    assert (rows["numerator"][place], rows["denominator"][place]) == (hits, n)
    assert rows["value"][place] == pytest.approx(hits / n)
