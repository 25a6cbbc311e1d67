"""Encoders ranked over several studies, and the tests that take studies as data.

Fails for fewer than five studies or three encoders, and where one of the encoders has
no value of the deciding metric on one of the studies.
"""

import json
from pathlib import Path
from typing import Any

from bakeoff.compare import over_studies
from bakeoff.difference_sheets import comparisons_sheet, ranks_sheet
from bakeoff.jobs import job
from bakeoff.sheets import write_sheets
from bakeoff.tables import read_table, read_tables, write_table


def ranks(
    *,
    metrics: list[Path],
    output_ranks: Path,
    output_comparisons: Path,
    settings: dict[str, Any],
) -> None:
    """Write ranks and comparisons, and both as CSV, Markdown and LaTeX beside them."""
    asked = {name: settings[name] for name in ("method", "protocol", "metric")}
    studies, encoders = settings["studies"], settings["encoders"]
    confidence = settings["confidence"]
    values = over_studies.overall_values(
        read_tables(metrics, "metrics"), studies=studies, encoders=encoders, **asked
    )
    ranked = over_studies.ranks(values, settings["metric"], studies, encoders)
    tested = over_studies.rank_tests(
        values,
        encoders=encoders,
        bands=settings["equivalence"],
        confidence=confidence,
        **asked,
    )
    critical = over_studies.critical(values, confidence)
    write_table(
        output_ranks, "ranks", ranked, settings | {"critical_difference": critical}
    )
    write_table(output_comparisons, "comparisons", tested, settings)
    sheets = [
        ranks_sheet(read_table(output_ranks, "ranks")),
        comparisons_sheet(read_table(output_comparisons, "comparisons")),
    ]
    write_sheets(output_ranks.parent, sheets)


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        ranks(
            metrics=[Path(path) for path in snakemake.input.metrics],
            output_ranks=Path(snakemake.output.ranks),
            output_comparisons=Path(snakemake.output.comparisons),
            settings=json.loads(snakemake.params.settings),
        )
