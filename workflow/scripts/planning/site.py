"""The documentation as a folder of HTML pages that need no network: docs/site/.

    python -m planning.site

Every Markdown page of the repository becomes one page of the site; docs/navigation.yaml
says in which order. Links between pages, and from pages to files of the repository, go
on working inside the folder; a link that leads nowhere ends the build.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import yaml
from bakeoff.errors import BakeoffError
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.token import Token

_MARKDOWN = MarkdownIt("commonmark").enable("table")
_OUTSIDE = re.compile(r"^(https?|mailto):")


@dataclass
class Page:
    """One Markdown file: where it lies, what it holds, where it goes."""

    source: Path
    place: Path
    tokens: list[Token]
    title: str = ""
    sections: list[tuple[str, str]] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)


def build_site(root: Path, site: Path) -> list[Path]:
    """Write the site of the repository `root` to the folder `site`; its pages.

    What lay in `site` is replaced. Raises BakeoffError that lists every link that leads
    nowhere.
    """
    chapters = read_navigation(root)
    pages = {
        path: read_page(root / path, path) for c in chapters.values() for path in c
    }
    files, problems = _link(pages, root)
    if problems:
        raise BakeoffError(
            "documentation",
            f"{len(problems)} broken links",
            "links to pages, headings and files that are there",
            "\n" + "\n".join(f"  {problem}" for problem in problems),
        )
    shutil.rmtree(site, ignore_errors=True)
    for name in sorted(files):
        _copy(root / name, site / "files" / name)
    _copy(root / "docs/theme/site.css", site / "site.css")
    for page in pages.values():
        _write(page, chapters, pages, root, site)
    return [site / page.place for page in pages.values()]


def read_navigation(root: Path) -> dict[str, list[Path]]:
    """{chapter: pages} of docs/navigation.yaml; pages of docs/ that it leaves out follow.

    Paths are relative to `root`.
    """
    text = (root / "docs/navigation.yaml").read_text(encoding="utf-8")
    chapters = {
        name: [Path(path) for path in paths]
        for name, paths in yaml.safe_load(text).items()
    }
    listed = {path for paths in chapters.values() for path in paths}
    written = (path.relative_to(root) for path in (root / "docs").rglob("*.md"))
    if more := sorted(path for path in written if path not in listed):
        chapters["More"] = more
    return chapters


def read_page(path: Path, source: Path) -> Page:
    """The page, its headings given the anchors that code hosts give them."""
    tokens = _MARKDOWN.parse(path.read_text(encoding="utf-8"))
    page = Page(source, _place(source), tokens)
    for token, inline in pairwise(tokens):
        if token.type != "heading_open":
            continue
        text = _plain(inline)
        anchor = _anchor(text)
        token.attrSet("id", anchor)
        page.anchors.add(anchor)
        if token.tag == "h1":
            page.title = page.title or text
        elif token.tag == "h2":
            page.sections.append((anchor, text))
    return page


def _place(source: Path) -> Path:
    """README.md -> index.html, docs/a/b.md -> a/b.html, config/README.md -> config.html."""
    if source == Path("README.md"):
        return Path("index.html")
    if source.name == "README.md":
        return Path(f"{source.parent.as_posix().replace('/', '-')}.html")
    parts = source.parts[1:] if source.parts[0] == "docs" else source.parts
    return Path(*parts).with_suffix(".html")


def _plain(inline: Token) -> str:
    return "".join(token.content for token in inline.children or ())


def _anchor(text: str) -> str:
    return re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")


def _link(pages: dict[Path, Page], root: Path) -> tuple[set[Path], list[str]]:
    """Turn every link to where it leads in the site; (files to copy, broken links)."""
    files: set[Path] = set()
    problems = []
    for page in pages.values():
        for token, attribute in _links(page.tokens):
            address = str(token.attrGet(attribute))
            if _OUTSIDE.match(address):
                continue
            name, _, anchor = address.partition("#")
            target = _inside(page.source, name)
            if target in pages:
                if anchor and anchor not in pages[target].anchors:
                    problems.append(f"{page.source}: {address}: no such heading")
                place = pages[target].place
            elif (root / target).is_file():
                files.add(target)
                place = Path("files", target)
            else:
                problems.append(f"{page.source}: {address}: no such file")
                continue
            turned = os.path.relpath(place, page.place.parent)
            token.attrSet(attribute, turned + (f"#{anchor}" if anchor else ""))
    return files, problems


def _links(tokens: Sequence[Token]) -> Iterator[tuple[Token, str]]:
    for token in tokens:
        if token.type == "link_open":
            yield token, "href"
        elif token.type == "image":
            yield token, "src"
        yield from _links(token.children or ())


def _inside(source: Path, address: str) -> Path:
    """The file that a relative address on page `source` names, from the root."""
    return Path(os.path.normpath(source.parent / address)) if address else source


def _write(
    page: Page,
    chapters: dict[str, list[Path]],
    pages: dict[Path, Page],
    root: Path,
    site: Path,
) -> None:
    def way(place: Path) -> str:
        return os.path.relpath(place, page.place.parent)

    templates = FileSystemLoader(root / "docs/theme")
    template = Environment(
        loader=templates, autoescape=True, undefined=StrictUndefined
    ).get_template("page.html")
    body = _MARKDOWN.renderer.render(page.tokens, _MARKDOWN.options, {})
    path = site / page.place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        template.render(
            page=page,
            body=body,
            way=way,
            chapters={name: [pages[p] for p in c] for name, c in chapters.items()},
        ),
        encoding="utf-8",
    )


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


if __name__ == "__main__":
    repository = Path(__file__).parents[3]
    try:
        made = build_site(repository, repository / "docs/site")
    except BakeoffError as error:
        sys.exit(str(error))
    print(f"{len(made)} pages; open {made[0]}")
