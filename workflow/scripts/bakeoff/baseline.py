"""What is right without looking at any image: always the commonest class.

Each run answers with the commonest class among its training images. A probe that is no
better has learned nothing from the vectors.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from bakeoff.folds import runs
from bakeoff.metrics.interface import Outcomes
from bakeoff.metrics.outcomes import Run
from bakeoff.metrics.table import ALL, metrics_of_runs
from bakeoff.probes.inputs import Images, Labels, read_images
from bakeoff.tables import origin

# Its encoder and method in the table of metrics: words that no id can be.
NAME, METHOD = "(commonest class)", "(no encoder)"


def baseline_rows(
    manifest: pa.Table, folds: Mapping[str, pa.Table], *, labels: Labels, study: str
) -> dict[str, list]:
    """Columns of a table of metrics, of the commonest class under every protocol.

    folds: table of folds by protocol. Of equally common classes the first one is
    answered. Before rounding the answer to ordinal labels is the mean of the training
    images' numbers; the scores are the classes' shares among the training images.
    """
    images = read_images(manifest, labels)
    rows: dict[str, list] = {}
    for protocol, table in folds.items():
        curve = origin(table).get("kind") == "curve"
        done = list(_runs(images, table, protocol))
        for name, values in metrics_of_runs(done, study, curve=curve).items():
            rows.setdefault(name, []).extend(values)
    return rows


def baseline_values(baseline: pa.Table, metric: str) -> dict[str, float]:
    """The metric over all repeats by protocol, from a table of `baseline_rows`."""
    return {
        row["protocol"]: row["value"]
        for row in baseline.to_pylist()
        if row["metric"] == metric
        and not row["class"]
        and (row["repeat"], row["fold"]) == (ALL, ALL)
        and row["value"] is not None
    }


def _runs(images: Images, folds: pa.Table, protocol: str) -> Iterator[Run]:
    problem, k = images.problem, len(images.problem.classes)
    for run in runs(folds):
        y, truth = (images.y[images.rows(ids)] for ids in (run.train_ids, run.test_ids))
        shares = np.bincount(y, minlength=k) / len(y)
        n = len(truth)
        outcomes = Outcomes(
            truth,
            np.full(n, shares.argmax()),
            problem.classes,
            problem.values,
            np.full(n, shares @ problem.values) if problem.ordinal else None,
            np.tile(shares, (n, 1)),
            problem.ordinal,
            "probability",
        )
        ids = np.asarray(run.test_ids, dtype=object)
        yield Run(NAME, METHOD, protocol, run.repeat, run.fold, ids, outcomes)
