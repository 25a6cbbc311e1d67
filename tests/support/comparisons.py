"""Rows of comparisons of a made-up study."""

import pandas as pd
from bakeoff.compare.pairs import compare
from bakeoff.tables import write_table

METRIC_NAMES = ["accuracy", "macro_recall", "rmse", "bias", "qwk"]


def rows_of(study, **settings) -> pd.DataFrame:
    """The comparisons of the study, written to its folder as well."""
    settings = {"metric_names": METRIC_NAMES, "replicates": 500} | settings
    columns = compare(
        study.tables, study.metrics, {"p": study.folds}, study="demo", **settings
    )
    write_table(study.folder / "comparisons.parquet", "comparisons", columns)
    return pd.DataFrame(columns)


def primary(rows: pd.DataFrame, metric: str = "accuracy") -> pd.Series:
    """The one row of a metric that the verdict rests on."""
    (row,) = rows[rows["primary"] & (rows["metric"] == metric)].to_dict("records")
    return pd.Series(row)
