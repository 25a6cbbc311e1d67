"""The pictures of the README and of docs/figures.md, from the results of `make demo`.

python docs/images/demo.py
"""

from pathlib import Path

from bakeoff.figures import forest
from bakeoff.figures.save import save_figure
from bakeoff.tables import read_table
from PIL import Image

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PIXELS = 900  # width of a picture in docs/figures.md
# Figures as they stand among a study's results.
ACTIVITIES = """accuracy differences/test/ridge probabilities/test/ridge
    tradeoff/test/ridge classes/test/ridge confusion/test/ridge
    confusion_difference/test/ridge qualitative/test/ridge disputes/test/ridge
    reliability/test/zeroshot embedding_map/tiny-clip training"""
FIGURES = {"activities": ACTIVITIES, "otoliths": "ages/cv10/ridge"}


def readme() -> None:
    """The README's figure: what the fixed test images say of every method."""
    table = read_table(ROOT / "results/activities/comparisons.parquet", "comparisons")
    data = forest.data_from(
        comparisons=table,
        reference="tiny-clip",
        bands={"accuracy": 0.01, "macro_f1": 0.01},
        protocol="test",
        control="tiny-random",
    )
    save_figure(forest.draw, data, forest.size(data), HERE / "demo.svg")


def figures() -> None:
    """Each figure, smaller and in few colours."""
    for study, names in FIGURES.items():
        for name in names.split():
            with Image.open(ROOT / f"results/{study}/figures/{name}.png") as picture:
                size = PIXELS, round(PIXELS * picture.height / picture.width)
                small = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
            kind = name.split("/")[0]
            few = small.quantize(128, dither=Image.Dither.NONE)
            few.save(HERE / f"figures/{kind}.png", optimize=True)


if __name__ == "__main__":
    readme()
    figures()
