"""The page as text: whole, escaped, the same bytes twice, nothing from outside."""

import html.parser
import json
import re

import pytest
from bakeoff import difference_sheets, paper_tables
from bakeoff.figures import accuracy, confusion, forest
from bakeoff.figures.save import save_figure
from bakeoff.gallery import make_gallery
from bakeoff.summary import (
    Page,
    Picture,
    Section,
    inline_svg,
    summary_html,
    write_summary,
)
from bakeoff.verdict import Answer
from PIL import Image

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "a'b",
)


def picture(name, module, data, folder):
    path = folder / f"{name}.svg"
    save_figure(module.draw, data, module.size(data), path)
    return Picture(name, f"Figure {name}", "What it shows.", path.read_text())


def page_of(tables, folder, /, **parts):
    drawn = [
        picture("acc", accuracy, accuracy.data_from(metrics=tables.metrics), folder),
        picture(
            "for", forest, forest.data_from(comparisons=tables.comparisons), folder
        ),
    ]
    sections = [
        Section("results", "Results", "", drawn,
                [paper_tables.results_sheet(tables.metrics)]),
        Section("tests", "Tests", "", [],
                [difference_sheets.comparisons_sheet(tables.comparisons),
                 paper_tables.classes_sheet(tables.metrics)]),
        Section("empty", "Nothing here"),
    ]  # fmt: skip
    gallery = make_gallery(
        manifest=tables.manifest,
        predictions=tables.predictions,
        folder=folder,
        read=lambda path: Image.new("RGB", (8, 8), "green"),
        method="ridge",
    )
    chosen = {
        "study": tables.name,
        "title": "Which encoder?",
        "answers": [
            Answer("ridge on cv", "One is better.", ["As it must."], ["By 2."])
        ],
        "facts": {"images": "300"},
        "sections": sections,
        "gallery": gallery,
        "methods": {"test": "corrected t"},
        "notes": ["No groups were given."],
        "provenance": {"config": {"seed": 0}},
    }
    return Page(**(chosen | parts))


class Tags(html.parser.HTMLParser):
    """All start tags with their attributes, and the text of scripts."""

    def __init__(self):
        super().__init__()
        self.tags, self.scripts = [], []
        self._script = False

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._script = tag == "script"

    def handle_endtag(self, tag):
        self._script = False

    def handle_data(self, data):
        if self._script:
            self.scripts.append(data)


def parsed(text):
    parser = Tags()
    parser.feed(text)
    return parser


@pytest.fixture(scope="module")
def text(activities, tmp_path_factory):
    return summary_html(page_of(activities, tmp_path_factory.mktemp("page")))


def test_verdict_comes_before_everything_else(text):
    assert text.index("One is better.") < text.index("<svg") < text.index("<table")


def test_nothing_is_fetched(text):
    for _, attributes in parsed(text).tags:
        for name in ("src", "href", "xlink:href", "data", "srcset", "action"):
            link = attributes.get(name)
            assert link is None or link.startswith(("#", "data:"))
    assert "@import" not in text


def test_ids_are_unique_and_links_lead_somewhere(text):
    tags = parsed(text).tags
    ids = [a["id"] for _, a in tags if "id" in a]
    assert len(ids) == len(set(ids))
    links = {a[n] for _, a in tags for n in ("href", "xlink:href") if n in a}
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert set(re.findall(r"url\(#([^)]+)\)", text)) <= set(ids)


def test_every_table_has_named_columns_and_a_download(text):
    tags = parsed(text).tags
    assert sum(tag == "table" for tag, _ in tags) == 3
    assert sum(a.get("class") == "csv" for _, a in tags) == 3
    assert all(a.get("scope") in ("row", "col") for tag, a in tags if tag == "th")


def test_empty_sections_are_left_out(text):
    assert "Nothing here" not in text


def test_hostile_words_stay_words(make, tmp_path):
    study = make(classes=HOSTILE, encoders=HOSTILE[:2], per_class=4, repeats=1)
    text = summary_html(
        page_of(study, tmp_path, title=HOSTILE[0], study=HOSTILE[1],
                answers=[Answer(*HOSTILE[:2], HOSTILE, HOSTILE)],
                notes=HOSTILE, methods={HOSTILE[0]: HOSTILE[1]},
                provenance={HOSTILE[0]: HOSTILE[1]})
    )  # fmt: skip
    found = parsed(text)
    kinds = [a.get("type") for tag, a in found.tags if tag == "script"]
    assert kinds == ["application/json", None]
    assert "onerror" not in {name for _, a in found.tags for name in a}
    assert json.loads(found.scripts[0])["classes"] == list(HOSTILE)


def test_only_the_own_script_may_run(text):
    policy = next(a["content"] for t, a in parsed(text).tags if "http-equiv" in a)
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/=]{44}'", policy)


def test_same_page_same_bytes(activities, tmp_path):
    for name in ("one", "two"):
        write_summary(tmp_path / name, page_of(activities, tmp_path))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_page_without_anything_but_a_verdict():
    text = summary_html(Page("s", "t", []))
    assert "Nothing was compared." in text
    assert "<table" not in text


def test_figures_follow_the_theme_and_are_named(activities, tmp_path):
    data = confusion.data_from(predictions=activities.predictions, method="ridge")
    drawn = picture("c<1>", confusion, data, tmp_path)
    svg = inline_svg(drawn)
    assert svg.startswith(
        '<svg role="img" aria-label="Figure c&lt;1&gt;. What it shows."'
    )
    assert "#1f2328;" not in svg.replace("var(--ink, #1f2328)", "")
    assert 'id="c-1-' in svg
