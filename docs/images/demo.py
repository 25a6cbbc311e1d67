"""The README's figure, from the results of `make demo`.

python docs/images/demo.py
"""

from pathlib import Path

import pyarrow.compute as pc
from bakeoff.figures import forest
from bakeoff.figures.save import save_figure
from bakeoff.tables import read_table

ROOT = Path(__file__).parents[2]

if __name__ == "__main__":
    table = read_table(ROOT / "results/activities/comparisons.parquet", "comparisons")
    table = table.filter(pc.equal(table["protocol"].cast("string"), "test"))
    bands = {"accuracy": 0.01, "macro_f1": 0.01}
    data = forest.data_from(comparisons=table, reference="tiny-clip", bands=bands)
    save_figure(
        forest.draw, data, forest.size(data), Path(__file__).with_suffix(".svg")
    )
