"""docs/tables.md, made from the schemas so that it cannot drift from them.

python -m planning.tables_page > docs/tables.md
"""

import pyarrow as pa
from bakeoff.schemas import SCHEMAS, VERSION, Column, Schema

_PLACES = {
    "manifest": "results/<study>/manifest.parquet",
    "quarantine": "results/<study>/quarantine.parquet",
    "embeddings": "results/<study>/embeddings/<encoder>.parquet",
    "texts": "results/<study>/texts/<encoder>.parquet",
    "folds": "results/<study>/folds/<protocol>.parquet",
    "predictions": "results/<study>/predictions/<protocol>/<method>/<encoder>.parquet",
    "metrics": "results/<study>/metrics/<encoder>.parquet",
    "sensitivity": "results/<study>/sensitivity/<encoder>.parquet",
    "comparisons": "results/<study>/comparisons.parquet",
    "variance": "results/<study>/variance.parquet",
    "seeds": "results/<study>/seeds.parquet",
    "ranks": "results/across/<protocol>/<method>/<metric>/ranks.parquet",
    "training": "results/<study>/training/<encoder>.parquet",
    "costs": "results/<study>/costs.parquet",
}
_INTRODUCTION = f"""\
# Tables

<!-- Made by `make reference` from bakeoff/schemas.py. Edit that file instead. -->

Every number of a study stands in a Parquet file that any tool can read, for example
`pandas.read_parquet("results/NAME/comparisons.parquet")`. The columns are these and no
others, in this order; the same rows give the same bytes. What made a table is written
into its metadata. This is version {VERSION} of the schemas.
"""


def tables_page() -> str:
    """The page: one section per kind of table, one row per column."""
    return _INTRODUCTION + "".join(
        _section(kind, schema) for kind, schema in SCHEMAS.items()
    )


def _section(kind: str, schema: Schema) -> str:
    key = ", ".join(f"`{name}`" for name in schema.key)
    lines = ["", f"## {kind}", ""]
    if kind in _PLACES:
        lines += [f"`{_PLACES[kind]}`", ""]
    lines += [
        f"One row per {schema.row}; no two rows have the same {key}.",
        "",
        "| column | type | meaning |",
        "|---|---|---|",
        *map(_row, schema.columns),
    ]
    return "\n".join(lines) + "\n"


def _row(column: Column) -> str:
    empty = ", or null" if column.nullable else ""
    return f"| `{column.name}` | {_type(column.type)}{empty} | {column.meaning} |"


def _type(kind: pa.DataType) -> str:
    """A type in a reader's words: text stays text however it is stored."""
    if pa.types.is_dictionary(kind):
        return _type(kind.value_type)
    if pa.types.is_list(kind):
        return f"list of {_type(kind.value_type)}"
    names = {"string": "text", "bool": "true or false", "float": "float32"}
    names["double"] = "float64"
    return names.get(str(kind), str(kind))


if __name__ == "__main__":
    print(tables_page(), end="")
