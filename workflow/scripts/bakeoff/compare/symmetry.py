"""Whether an encoder errs to one side: symmetry of predicted and true labels."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from bakeoff.compare.design import panels
from bakeoff.compare.rows import Question, Row, columns
from bakeoff.metrics.definitions import METRICS
from bakeoff.metrics.interface import confusion
from bakeoff.metrics.outcomes import pooled
from bakeoff.stats.agreement import bowker, evans_hoenig

READER = "reader"
METRIC = "symmetry"


def symmetry(predictions: Sequence[pa.Table], study: str) -> dict[str, list[Any]]:
    """Evans-Hoenig and Bowker rows of every encoder against the labels, ordinal only.

    Columns of the table of comparisons: a is the encoder, b `reader`, metric
    `symmetry`, estimate the bias (predicted minus true), n the images that disagree.
    Of repeated divisions the first repeat is used, where each image counts once. No
    row is primary. Nominal labels give no rows.
    """
    rows: list[Row] = []
    for panel in panels(predictions):
        first = panel.keys[0][0]
        for encoder in panel.encoders:
            o = pooled([run for run in panel.runs[encoder] if run.repeat == first])
            if not o.ordinal:
                continue
            question = Question(
                study,
                panel.method,
                panel.protocol,
                METRIC,
                "",
                encoder,
                READER,
                "zero",
                np.nan,
                len(o.y_true),
            )
            table, bias = confusion(o), METRICS["bias"].value(o)
            for test, result in (
                ("evans_hoenig", evans_hoenig(table, o.values)),
                ("bowker", bowker(table)),
            ):
                told = replace(result, estimate=bias)
                rows.append(Row(question, test, False, told, np.nan))
    return columns(rows)
