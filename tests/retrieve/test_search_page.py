"""The page of a search: in order, escaped, nothing from outside."""

from types import SimpleNamespace

import pytest
from bakeoff.errors import BakeoffError
from bakeoff.retrieve import Hit
from bakeoff.search import Found, search_study
from bakeoff.search_page import write_search_page
from PIL import Image

HITS = [
    Hit("image", "1", "a<b>.jpg", "run & jump", 0.91),
    Hit("text", "a photo of <i>", "", "run", 0.5),
]


def page(tmp_path, query, hits=HITS):
    write_search_page(
        tmp_path / "found.html",
        query=query,
        encoder="clip",
        hits=hits,
        read=lambda hit: Image.new("RGB", (30, 20), "red"),
        about={"recall@10": "0.97"},
    )
    return (tmp_path / "found.html").read_text()


def test_text_query(tmp_path):
    text = page(tmp_path, "<script>x</script>")
    assert "<script" not in text
    assert text.index("1. run &amp; jump") < text.index("2. a photo of &lt;i&gt;")
    assert text.count("data:image/webp") == 1
    assert "cosine 0.910" in text
    assert "a&lt;b&gt;.jpg" in text


def test_picture_query(tmp_path):
    text = page(tmp_path, Image.new("RGB", (9, 9)))
    assert text.count("data:image/webp") == 2


def test_nothing_found(tmp_path):
    assert "Nothing was found." in page(tmp_path, "a juggler", [])


@pytest.mark.parametrize(
    ("write", "said"),
    [(None, "no such file"), (b"junk", "bytes have changed"), (b"", "is empty")],
)
def test_an_image_that_is_gone_or_changed_is_one_error(tmp_path, write, said):
    index = SimpleNamespace(encoder="clip", about={"images": str(tmp_path)}, parts=[])
    if write is not None:
        (tmp_path / "a<b>.jpg").write_bytes(write)
    found = Found("a query", index, HITS)
    with pytest.raises(BakeoffError, match=rf"a<b>\.jpg.*{said}"):
        found.write_page(tmp_path / "found.html")
    assert not (tmp_path / "found.html").exists()


def test_a_missing_index_is_made_by_the_command_that_is_printed(tmp_path):
    with pytest.raises(BakeoffError, match="make index STUDY=birds ENCODER=clip"):
        search_study(tmp_path / "birds", "x", encoder="clip")
