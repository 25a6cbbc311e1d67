"""The page in a real browser, where one is installed: sort, filter, dark, phone.

A page beside it holds the summary in a frame, works it as a reader would, and writes
what it saw into itself.
"""

import base64
import json
import re
import shutil
import subprocess
import urllib.parse

import numpy as np
import pytest
from bakeoff import paper_tables
from bakeoff.figures import confusion
from bakeoff.figures.save import save_figure
from bakeoff.gallery import make_gallery
from bakeoff.summary import Page, Picture, Section, write_summary
from bakeoff.verdict import Answer
from PIL import Image

BROWSER = next(
    (
        p
        for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
        if p
    ),
    None,
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")

HOSTILE = "<script>parent.hacked = 1</script>"

HARNESS = """<!DOCTYPE html><iframe id="page" src="summary.html"
style="width:WIDTHpx;height:900px"></iframe><pre id="seen"></pre><script>
page.onload = () => {
  const view = page.contentWindow, doc = page.contentDocument;
  const pick = (name) => doc.querySelector(name);
  const texts = (name) => [...doc.querySelectorAll(name)].map((x) => x.textContent);
  const shown = () => [...doc.querySelectorAll("#results tbody tr")]
    .filter((row) => !row.hidden).map((row) => row.cells[2].textContent);
  const change = (box, value, kind) => {
    box.value = value;
    box.dispatchEvent(new view.Event(kind, { bubbles: true }));
  };
  const seen = { errors: [] };
  try {
    const head = doc.querySelectorAll("#results thead th")[2];
    head.querySelector("button").click();
    seen.descending = shown();
    seen.aria = head.getAttribute("aria-sort");
    head.querySelector("button").click();
    seen.ascending = shown();
    change(pick("#results input"), "zeroshot", "input");
    seen.filtered = shown().length;
    seen.status = pick("#results .count").textContent;
    const paper = () => view.getComputedStyle(doc.body).backgroundColor;
    seen.colours = [paper()];
    pick("#theme").click();
    seen.colours.push(paper());
    seen.ink = view.getComputedStyle(doc.body).color;
    seen.figure = view.getComputedStyle(pick("svg [style*='--ink']")).fill;
    seen.overflow = doc.documentElement.scrollWidth - doc.documentElement.clientWidth;
    seen.cards = texts("#cards li").length;
    seen.count = pick("#gallery-count").textContent;
    change(pick("#pick-outcome"), "right", "change");
    seen.right = pick("#gallery-count").textContent;
    seen.marks = new Set(texts("#cards li p:nth-of-type(2)").map((t) => t[0])).size;
    change(pick("#pick-truth"), "0", "change");
    seen.truths = [...new Set(texts("#cards .truth"))];
    seen.image = pick("#cards img").naturalWidth;
    change(pick("#pick-truth"), "-1", "change");
    change(pick("#pick-rival"), "0", "change");
    for (const outcome of ["only", "none", "differ", "disputed"]) {
      change(pick("#pick-outcome"), outcome, "change");
      seen[outcome] = parseInt(pick("#gallery-count").textContent) || 0;
    }
    seen.encoders = [...pick("#pick-encoder").options].map((o) => o.textContent);
    seen.first = pick("#pick-encoder").selectedOptions[0].textContent;
    seen.hacked = view.hacked ?? window.hacked ?? null;
  } catch (error) { seen.errors.push(String(error)); }
  document.getElementById("seen").textContent = btoa(encodeURIComponent(JSON.stringify(seen)));
};
</script>"""


def browse(folder, width):
    """What the harness saw, and every message on the console."""
    (folder / "harness.html").write_text(HARNESS.replace("WIDTH", str(width)))
    done = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
         "--disable-background-networking", "--allow-file-access-from-files",
         "--enable-logging=stderr", "--virtual-time-budget=8000",
         f"--user-data-dir={folder / 'profile'}", f"file://{folder}/harness.html"],
        capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    code = re.search(r'<pre id="seen">([^<]*)</pre>', done.stdout)[1]
    seen = json.loads(urllib.parse.unquote(base64.b64decode(code).decode()))
    return seen, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


@pytest.fixture(scope="module")
def folder(make, tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    study = make(classes=(HOSTILE, "running", "sitting"), per_class=20)
    data = confusion.data_from(predictions=study.predictions, method="ridge")
    svg = folder / "confusion.svg"
    save_figure(confusion.draw, data, confusion.size(data), svg)
    gallery = make_gallery(
        manifest=study.manifest, predictions=study.predictions, folder=folder,
        read=lambda path: Image.new("RGB", (20, 10), "green"), method="ridge",
    )  # fmt: skip
    picture = Picture("confusion", "Confusions", HOSTILE, svg.read_text())
    results = paper_tables.results_sheet(study.metrics)
    sections = [Section("results", "Results", HOSTILE, [picture], [results])]
    leader = gallery.encoders[1]
    answers = [Answer(HOSTILE, HOSTILE, [HOSTILE], [HOSTILE], leader)]
    page = Page("study", HOSTILE, answers, sections=sections, gallery=gallery)
    write_summary(folder / "summary.html", page)
    called, truth = np.array(gallery.called), np.array(gallery.truth)
    np.savez(folder / "gallery.npz", called=called, truth=truth)
    return folder


@pytest.fixture(scope="module", params=[1200, 390])
def visit(folder, request):
    return browse(folder, request.param)


def test_page_works_and_stays_quiet(visit):
    seen, console = visit
    assert seen["errors"] == []
    assert console == []
    assert seen["hacked"] is None
    numbers = [float(text.split()[0]) for text in seen["descending"]]
    assert numbers == sorted(numbers, reverse=True)
    assert seen["ascending"] == seen["descending"][::-1]
    assert seen["aria"] == "descending"
    assert (seen["filtered"], seen["status"]) == (3, "3 of 6 rows")
    assert seen["colours"][0] != seen["colours"][1]
    assert seen["figure"] == seen["ink"]
    assert seen["overflow"] <= 0
    assert seen["cards"] > 0
    assert seen["marks"] == 1
    assert seen["truths"] == [HOSTILE]
    assert seen["image"] == 20


def test_the_gallery_compares_any_two_encoders(folder, visit):
    seen, _ = visit
    saved = np.load(folder / "gallery.npz")
    other, first = saved["called"].T[:2]
    right, rival_right = (first == saved["truth"], other == saved["truth"])
    assert seen["first"] == seen["encoders"][1]
    assert seen["only"] == (right & ~rival_right).sum() > 0
    assert seen["none"] == (~right & ~rival_right).sum() > 0
    assert seen["differ"] == (first != other).sum() > 0
    assert seen["disputed"] == (~right & (first == other)).sum() > 0
