"""The page of a search: in order, escaped, nothing from outside."""

from bakeoff.retrieve import Hit
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
        folder=tmp_path,
        read=lambda path: Image.new("RGB", (30, 20), "red"),
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
