"""What people look at, after a real run: figures, page, tables, search, prompt lab."""

import csv
import html
import re
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
from bakeoff.cli import main
from bakeoff.errors import BakeoffError
from bakeoff.retrieve import VectorIndex
from planning.make import make_plan
from planning.plan import Plan
from support.workflow import Workflow

# No "mistakes": every encoder knows the colours.
SECTIONS = [
    *("verdict", "answer", "costs", "classes", "calibration", "embeddings", "data"),
    *("gallery", "methods", "provenance"),
]
TABLES = (
    *("results", "tests", "classes", "classes_tests"),
    *("costs", "retrieval", "data"),
)
# One encoder beside the control and none fine-tuned: headings alone.
EMPTY_TABLES = ("variance", "seeds")


@pytest.fixture(scope="module")
def plan(finished: Workflow) -> Plan:
    with chdir(finished.place):
        return make_plan(finished.config, finished.place)


@pytest.fixture(scope="module")
def page(finished: Workflow) -> str:
    return (finished.place / "results/colours/summary.html").read_text("utf-8")


@pytest.fixture(scope="module")
def asked(finished: Workflow) -> Workflow:
    """The small study with the targets that are made on request only."""
    finished.run("results/colours/figures/prompts/cv/tiny-clip.svg")
    index = finished.make("index", "STUDY=colours", "ENCODER=tiny-clip")
    assert index.returncode == 0, index.stdout + index.stderr
    return finished


@pytest.fixture
def search(
    asked: Workflow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """`bakeoff search` in the study's folder: status, what it printed, and its error."""
    monkeypatch.chdir(asked.place)

    def ask(*words: str, study: str = "colours", encoder: str = "tiny-clip"):
        status = main(["search", *words, "--study", study, "--encoder", encoder])
        return status, *capsys.readouterr()

    return ask


def test_every_figure_was_drawn_in_both_formats(finished: Workflow, plan: Plan) -> None:
    folder = finished.place / "results/colours/figures"
    drawn = {
        path.relative_to(folder).with_suffix("").as_posix()
        for path in folder.rglob("*.svg")
    }
    assert set(plan.figures("colours")) <= drawn
    for name in plan.figures("colours"):
        svg, png = folder / f"{name}.svg", folder / f"{name}.png"
        assert svg.read_text("utf-8").rstrip().endswith("</svg>")
        assert png.read_bytes().startswith(b"\x89PNG")


def test_a_curve_over_resolutions_needs_two_of_one_model(
    finished: Workflow, plan: Plan
) -> None:
    assert not any(name.startswith("resolution") for name in plan.figures("colours"))
    config = finished.config
    config["studies"]["colours"]["encoders"] = ["tiny-clip", "tiny-clip@32"]
    del config["control"]
    with chdir(finished.place):
        several = make_plan(config, finished.place)
    assert "resolution/test/ridge" in several.figures("colours")


def test_the_page_has_every_section_in_order(page: str) -> None:
    found = re.findall(r'<section id="([\w-]+)"', page)
    assert found == SECTIONS
    linked = re.findall(r'<a href="#([\w-]+)"', page.split("<nav")[1].split("</nav")[0])
    assert linked == SECTIONS


def test_the_main_run_answers_and_the_others_are_folded_away(page: str) -> None:
    verdict = page.split('<section id="verdict"')[1].split("</section>")[0]
    first, others = verdict.split('<details class="others">')
    assert re.findall(r"<h3>([\w ]+?) ?[(<]", first) == ["ridge on test"]
    assert "Tested on 15 images of 3 classes" in first
    assert set(re.findall(r"<h3>(.*?)</h3>", others)) == {
        "ridge on cv", "svc on cv", "svc on test", "zeroshot on cv", "zeroshot on test",
    }  # fmt: skip
    assert 'class="first"' in first
    sentence, folded = first.split("<details open>")
    assert "adjusted p" not in sentence and "adjusted p" in folded


def test_words_of_the_page_are_clean(page: str) -> None:
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page, re.DOTALL)
    tables = re.findall(r'<p class="caption"[^>]*>(.*?)</p>', page)
    verdict = page.split('<section id="verdict"')[1].split("</section>")[0]
    assert len(captions) > 10
    for words in (*captions, *tables, verdict):
        text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", words)).split())
        assert not re.search(r"[.,;:] ?[.,;:]|\b([A-Za-z]+) \1\b|\{\{|\{%", text), text


def test_no_figure_on_the_page_is_empty(page: str) -> None:
    assert page.count("<figure id=") == page.count("<svg role=")
    assert "nothing-to-draw" not in page


def test_every_table_is_there_for_papers(finished: Workflow) -> None:
    folder = finished.place / "results/colours/tables"
    for name in (*TABLES, *EMPTY_TABLES):
        rows = list(csv.reader((folder / f"{name}.csv").open(encoding="utf-8")))
        assert (len(rows) > 1) == (name in TABLES), name
        assert "|" in (folder / f"{name}.md").read_text("utf-8")
        assert r"\toprule" in (folder / f"{name}.tex").read_text("utf-8")


def test_the_prompt_lab_tells_of_every_prompt_and_of_the_gain(asked: Workflow) -> None:
    folder = asked.place / "results/colours/prompt_lab/cv/tiny-clip"
    prompts = list(csv.DictReader((folder / "prompts.csv").open(encoding="utf-8")))
    assert [row["text"] for row in prompts[:2]] == [
        "a drawing of blue",
        "something blue",
    ]
    assert len(prompts) == 6
    (gain,) = csv.DictReader((folder / "gain.csv").open(encoding="utf-8"))
    assert int(gain["n"]) == 39
    before, after, difference = (float(gain[x]) for x in ("before", "after", "gain"))
    assert difference == pytest.approx(after - before)
    svg = asked.place / "results/colours/figures/prompts/cv/tiny-clip.svg"
    assert "nothing-to-draw" not in svg.read_text("utf-8")


def test_a_picture_of_the_study_finds_itself(search, tmp_path: Path) -> None:
    out = tmp_path / "found.html"
    picture = "images/test/red/3.png"
    status, told, _ = search("--image", picture, "--count", "3", "--page", str(out))
    assert status == 0
    assert re.match(r"1\.000  red +.*test/red/3\.png$", told.splitlines()[0])
    text = out.read_text("utf-8")
    assert text.count("data:image/webp") == 4  # the query and what was found
    assert "test/red/3.png" in text


def test_words_find_images_and_prompts(search) -> None:
    status, told, _ = search("something red", "--prompts", "--count", "39")
    cosines = [float(line.split()[0]) for line in told.splitlines()]
    assert status == 0
    assert len(cosines) == 39 and cosines == sorted(cosines, reverse=True)
    assert told.splitlines()[0].split()[:2] == ["1.000", "red"]


@pytest.mark.parametrize(
    ("words", "where", "expected"),
    [
        (
            ["red"],
            {"encoder": "tiny-random"},
            "make index STUDY=colours ENCODER=tiny-r",
        ),
        (["red"], {"study": "shapes"}, "make index STUDY=shapes ENCODER=tiny-c"),
        ([], {}, "a text or --image FILE"),
        (["red", "--image", "images/test/red/3.png"], {}, "a text and an image"),
    ],
)
def test_search_refuses_and_says_what_to_do(search, words, where, expected) -> None:
    status, told, error = search(*words, **where)
    assert (status, told) == (1, "")
    assert expected in error


def test_the_index_refuses_vectors_of_another_encoder(asked: Workflow) -> None:
    index = VectorIndex(asked.place / "results/colours/index/tiny-clip")
    with pytest.raises(BakeoffError, match="vectors of tiny-random"):
        index.search(np.ones(index.dimension), encoder="tiny-random")
