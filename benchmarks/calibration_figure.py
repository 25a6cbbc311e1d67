"""The figure of docs/benchmarks/calibration.txt: rejections and coverage by scenario.

    python benchmarks/calibration_figure.py

Whiskers are the 95 % Wilson intervals of the simulation itself.
"""

import re
import sys
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from statsmodels.stats.proportion import proportion_confint

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow/scripts"))

from bakeoff.figures.save import save_figure  # noqa: E402
from bakeoff.figures.style import MUTED, WIDTH, rows_axis  # noqa: E402

Found = dict[str, dict[str, tuple[int, float, float | None]]]
# What is shown, by the beginning of a test's name; the last match of a scenario counts,
# which is that over all repeats.
TESTS = {
    "paired_t (naive)": ("naive t over folds", "#D55E00", "X"),
    "corrected_t (as published)": ("corrected t as published", "#56B4E9", "v"),
    "corrected_t": ("corrected t, repeats noted", "#0072B2", "o"),
    "mcnemar_midp + tango": ("McNemar mid-p; Tango's interval", "#009E73", "s"),
    "cluster_t": ("cluster t", "#CC79A7", "D"),
    "sign_flip + bootstrap, accuracy": ("sign-flip; bootstrap", "#E69F00", "^"),
    "cluster sign_flip + bootstrap, accuracy": ("sign-flip; bootstrap", "#E69F00", "^"),
}


def read(text: str) -> Found:
    """{scenario: {test: (runs, share rejected, share covered or None)}}."""
    found: Found = {}
    scenario = ""
    for line in text.splitlines():
        row = re.fullmatch(r"  (.+?) +(\d+) +([\d.]+)% +(?:([\d.]+)%|-)", line)
        if row:
            test, runs, rejected, covered = row.groups()
            share = None if covered is None else float(covered) / 100
            found[scenario][test] = (int(runs), float(rejected) / 100, share)
        elif re.match(r"[RSG]\d ", line):
            scenario = line.strip()
            found[scenario] = {}
    return found


def draw(found: Found, figure: Figure) -> None:
    """Two panels over the same scenarios."""
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, column, wanted, label in (
        (left, 1, 0.05, "rejected at 5 % (power in R7)"),
        (right, 2, 0.95, "95 % intervals that hold the truth"),
    ):
        for place, tests in enumerate(found.values()):
            _points(axes, place, tests, column)
        axes.axvline(wanted, color=MUTED, linewidth=0.8, zorder=0)
        axes.set_xlabel(label)
        axes.xaxis.set_major_formatter(lambda x, _: f"{100 * x:.0f} %")
    rows_axis(left, list(found), length=40)
    right.tick_params(axis="y", length=0)
    handles = {}
    for axes in (left, right):
        handles |= dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3)


def _points(
    axes: Axes,
    place: int,
    tests: dict[str, tuple[int, float, float | None]],
    column: int,
) -> None:
    shown = {
        start: [row for name, row in tests.items() if name.startswith(start)]
        for start in TESTS
    }
    present = [start for start, rows in shown.items() if rows]
    for step, start in enumerate(present):
        label, colour, mark = TESTS[start]
        runs, share = shown[start][-1][0], shown[start][-1][column]
        if share is not None:
            y = place + 0.14 * (step - (len(present) - 1) / 2)
            low, high = proportion_confint(share * runs, runs, method="wilson")
            axes.plot([low, high], [y, y], color=colour, linewidth=1)
            axes.plot(share, y, mark, color=colour, markersize=4.5, label=label)


if __name__ == "__main__":
    found = read((ROOT / "docs/benchmarks/calibration.txt").read_text("utf-8"))
    size = (WIDTH, 1.2 + 0.42 * len(found))
    save_figure(draw, found, size, ROOT / "docs/benchmarks/calibration.svg")
