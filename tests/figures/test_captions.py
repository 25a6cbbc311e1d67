"""Captions: every figure has one, and each is a template that fills in."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from bakeoff.report import TITLES, without
from jinja2 import Environment, StrictUndefined, Template

ROOT = Path(__file__).parents[2]
CAPTIONS = sorted((ROOT / "workflow/report").glob("*.rst"))
# Where the caption is called after what the figure shows.
CALLED = {"forest": "differences", "per_class": "classes", "age_bias": "ages"}
HELPERS = {
    "__init__",
    "opinions",
    "style",
    "save",
    "frames",
    "units",
    "pairs",
    "intervals",
}


def test_every_figure_has_a_caption():
    modules = (ROOT / "workflow/scripts/bakeoff/figures").glob("*.py")
    figures = {path.stem for path in modules} - HELPERS
    called = {CALLED.get(name, name) for name in figures}
    assert called - {path.stem for path in CAPTIONS} == set()


class Wildcards(dict):
    __getattr__ = dict.__getitem__


@pytest.mark.parametrize("path", CAPTIONS, ids=lambda path: path.stem)
@pytest.mark.parametrize("wildcards", [{}, {"study": "har"}])
def test_caption_fills_in(path, wildcards):
    template = Environment(undefined=StrictUndefined).from_string(path.read_text())
    text = template.render(snakemake=SimpleNamespace(wildcards=Wildcards(wildcards)))
    assert "{" not in text
    text = " ".join(text.split())
    assert ("study har" in text) == (
        "wildcards.study" in path.read_text() and bool(wildcards)
    )


@pytest.mark.parametrize("kind", TITLES)
def test_the_page_of_figures_says_what_the_caption_says(kind):
    text = Template((ROOT / f"workflow/report/{kind}.rst").read_text()).render(
        snakemake={"wildcards": {}}
    )
    page = (ROOT / "docs/figures.md").read_text(encoding="utf-8")
    section = page.split(f"\n## {TITLES[kind]}\n")[1].split("\n## ")[0]
    words = without(TITLES[kind], " ".join(text.split()))
    assert words in " ".join(section.split()), f"copy the caption of {kind}"
