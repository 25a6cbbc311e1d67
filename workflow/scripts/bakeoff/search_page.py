"""What a search found, as one HTML file: pictures with their cosines, nearest first."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PIL import Image

from bakeoff.gallery import thumbnail
from bakeoff.retrieve import Hit
from bakeoff.summary import template
from bakeoff.tables import atomic_path

_PIXELS = 224


def write_search_page(
    path: str | Path,
    *,
    query: str | Image.Image,
    encoder: str,
    hits: Sequence[Hit],
    read: Callable[[Hit], Image.Image],
    about: Mapping[str, str] | None = None,
) -> None:
    """Write the page of one search, whole or not at all.

    `query` is the text or the picture that was asked for; `read` gives the RGB
    picture of an image that was found; `about` says of the index how it was searched.
    """
    picture = thumbnail(query, _PIXELS) if isinstance(query, Image.Image) else None
    text = template("search.html").render(
        query=query if isinstance(query, str) else "this picture",
        picture=picture,
        encoder=encoder,
        found=[(hit, _picture(hit, read)) for hit in hits],
        about=dict(about or {}),
    )
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _picture(hit: Hit, read: Callable[[Hit], Image.Image]) -> str | None:
    return thumbnail(read(hit), _PIXELS) if hit.kind == "image" else None
