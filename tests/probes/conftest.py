"""A small study: images, their vectors, folds, and a plain loop's view of a run."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest
from bakeoff.folds import make_folds
from bakeoff.probes.run import run_probe
from bakeoff.tables import read_table, write_table

FOLDS = {"kind": "kfold", "folds": 4, "repeats": 2}


@dataclass
class Study:
    """Vectors x (n, d), labels y (n,) int, ids sorted, and the three tables."""

    x: np.ndarray
    y: np.ndarray
    ids: np.ndarray
    manifest: pa.Table
    embeddings: pa.Table
    folds: pa.Table

    def predict(self, labels="nominal", **settings):
        """(columns, provenance) of a probe."""
        return run_probe(
            self.embeddings,
            self.manifest,
            self.folds,
            encoder="tiny",
            method="probe",
            protocol="cv",
            study="toy",
            settings=settings,
            labels=labels,
            seed=1,
        )

    def loop(self):
        """(train rows, test rows) of each run, from the table of folds alone."""
        repeat, fold = (np.asarray(self.folds[c]) for c in ("repeat", "fold"))
        ids = np.array(self.folds["image_id"].to_pylist())
        for r in np.unique(repeat):
            for k in sorted(set(fold[repeat == r]) - {-1, -2}):
                here = [(repeat == r) & (fold != -2) & (fold != k), fold == k]
                here[1] &= repeat == r
                yield [np.flatnonzero(np.isin(self.ids, ids[m])) for m in here]


def make_study(x, y, *, groups=None, splits=None, protocol=FOLDS, seed=1):
    """Rows come in a random order, as they may from a folder."""
    n, rng = len(y), np.random.default_rng(seed)
    ids = np.array([f"{i:064x}" for i in range(n)], dtype=object)
    mixed = rng.permutation(n)
    manifest = pa.table(
        {
            "image_id": ids,
            "path": [f"image-{i}.png" for i in range(n)],
            "label": [str(label) for label in y],
            "value": np.asarray(y, float),
            "split": list(splits) if splits is not None else [""] * n,
            "group": pa.array(
                groups if groups is not None else [None] * n, pa.string()
            ),
            "width": np.full(n, 8, np.int32),
            "height": np.full(n, 8, np.int32),
        }
    ).take(mixed)
    x = np.asarray(x, dtype=np.float32)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), x.shape[1])
    embeddings = pa.table({"image_id": ids, "embedding": vectors})
    embeddings = embeddings.take(rng.permutation(n))
    folds = pa.table(make_folds(manifest, protocol, seed))
    return Study(
        x.astype(float), np.asarray(y), ids.astype(str), manifest, embeddings, folds
    )


def random_study(n=120, d=10, k=4, *, shift=2.0, seed=0, **options):
    """Images (n) of k classes (1..k), overlapping, far from the origin."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % k) + 1
    x = rng.normal(size=(n, d)) + 0.8 * rng.normal(size=(k, d))[y - 1] + shift
    return make_study(x, y, **options)


@pytest.fixture(scope="session")
def study():
    return random_study


@pytest.fixture(scope="session")
def study_of():
    return make_study


@pytest.fixture
def saved(tmp_path):
    """The table of predictions as the next job reads it."""

    def save(columns, provenance):
        path = tmp_path / "predictions.parquet"
        write_table(path, "predictions", columns, provenance)
        return read_table(path, "predictions")

    return save
