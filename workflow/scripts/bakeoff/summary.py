"""The one page that answers: which encoder, by how much, how sure, at what cost.

One HTML file with everything inside: no network, no fonts, no library. The verdict
comes first. All text that a user can influence goes through the template's escaping or
through JSON in which `<` is spelt out; and the page's own policy lets no script run but
the one whose hash it names. The same arguments give the same bytes.
"""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from bakeoff.figures import style
from bakeoff.gallery import Gallery
from bakeoff.sheets import Sheet, to_csv
from bakeoff.tables import atomic_path
from bakeoff.verdict import Answer

_TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Picture:
    """A saved figure: an id, a title, its caption in words, the text of its SVG.

    `others` are the same of other encoders or methods; they are folded away under
    `told`, which names them.
    """

    name: str
    title: str
    caption: str
    svg: str
    others: Sequence["Picture"] = ()
    told: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the page: figures first, then tables."""

    name: str
    title: str
    words: str = ""
    pictures: Sequence[Picture] = ()
    sheets: Sequence[Sheet] = ()


@dataclass(frozen=True)
class Page:
    """All that the page says, in its order."""

    study: str
    title: str
    answers: Sequence[Answer]
    others: Sequence[Answer] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    sections: Sequence[Section] = ()
    gallery: Gallery | None = None
    methods: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)


def write_summary(path: str | Path, page: Page) -> None:
    """Write `page` to `path`, whole or not at all.

    `answers` come first, their details folded away, and so are `others`, of further
    methods; `facts` are short pairs such as images: 1,890; `methods` and `provenance`
    name and value. Sections without figures and tables are left out.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(summary_html(page), encoding="utf-8", newline="\n")


def summary_html(page: Page) -> str:
    """The page as text."""
    script = (_TEMPLATES / "summary.js").read_text(encoding="utf-8")
    sections = [s for s in page.sections if s.pictures or s.sheets]
    return template("summary.html").render(
        page=page,
        sections=sections,
        script=Markup(script),
        policy=_policy(script),
        gallery=_json(page.gallery.as_dict()) if page.gallery else None,
        outcomes=_OUTCOMES,
        inline_svg=inline_svg,
        to_csv=to_csv,
        provenance=_flat(page.provenance),
    )


def template(name: str) -> Template:
    """A template that escapes what it is given; `css` is there already."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    css = (_TEMPLATES / "summary.css").read_text(encoding="utf-8")
    return environment.get_template(name, globals={"css": Markup(css)})


def inline_svg(picture: Picture) -> Markup:
    """The SVG for use inside a page: ids of its own, colours that follow the theme.

    Saved figures share ids, so each gets a prefix; the five neutral colours of the
    style file become the page's variables, so that a dark page has dark figures.
    """
    svg = picture.svg[picture.svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    prefix = re.sub(r"[^A-Za-z0-9_-]", "-", picture.name)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)
    for colour, variable in _THEME.items():
        svg = svg.replace(f": {colour}", f": var(--{variable}, {colour})")
    label = html.escape(f"{picture.title}. {picture.caption}", quote=True)
    return Markup(
        re.sub(r"<svg\b", f'<svg role="img" aria-label="{label}"', svg, count=1)
    )


_THEME = {
    style.INK: "ink",
    style.MUTED: "muted",
    style.EDGE: "edge",
    style.GRID: "line",
    style.PAPER: "paper",
}

_OUTCOMES = {
    "wrong": "wrong",
    "right": "right",
    "any": "right or wrong",
    "only": "only this encoder right",
    "none": "every one wrong",
    "differ": "they disagree",
    "disputed": "all agree on another class",
}


def _policy(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def _json(value: Any) -> Markup:
    """JSON that cannot end the element that holds it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested names joined by dots, every value as text."""
    flat: dict[str, str] = {}
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            flat |= _flat(inner, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = (
                inner if isinstance(inner, str) else json.dumps(inner, sort_keys=True)
            )
    return flat
