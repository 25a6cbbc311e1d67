"""Predictions of made-up encoders, written and read as the workflow does."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from bakeoff.folds import make_folds
from bakeoff.metrics.table import metrics_rows
from bakeoff.tables import read_table, write_table

AGES = ["1", "2", "3", "4"]


class Study:
    """Images with labels, perhaps groups, one protocol, and any number of encoders."""

    def __init__(self, folder: Path, n: int, kind: dict, groups: bool) -> None:
        self.folder, self.n = folder, n
        rng = np.random.default_rng(0)
        self.ids = np.array([f"image{i:04d}" for i in range(n)])
        self.truth = np.resize(np.arange(4), n)
        # Each group holds five neighbouring images of one class.
        self.truth = np.repeat(self.truth, 5)[:n] if groups else self.truth
        self.group = [f"g{i // 5}" for i in range(n)] if groups else [None] * n
        split = np.where(rng.random(n // 5 + 1) < 0.5, "train", "test")
        given = np.repeat(split, 5)[:n] if kind["kind"] == "split" else [""] * n
        self._write_manifest(given)
        self.kind = kind["kind"]
        self.folds = self._folds(kind)
        self.tables: list[pa.Table] = []

    @property
    def groups(self) -> dict[str, str | None]:
        return dict(zip(self.ids.tolist(), self.group, strict=True))

    @property
    def metrics(self) -> pa.Table:
        parts = [metrics_rows(table, "demo") for table in self.tables]
        whole = {name: [x for p in parts for x in p[name]] for name in parts[0]}
        write_table(self.folder / "metrics.parquet", "metrics", whole)
        return read_table(self.folder / "metrics.parquet", "metrics")

    def predict(
        self, encoder: str, right: float, seed: int, method: str = "ridge"
    ) -> np.ndarray:
        """Add an encoder that is right with this chance, the same in every run."""
        rng = np.random.default_rng(seed)
        folds = {n: np.asarray(self.folds.column(n)) for n in ("repeat", "fold")}
        tested = folds["fold"] >= 0
        if method == "zeroshot":
            tested &= folds["repeat"] == 0
        image = np.array(
            [int(i[5:]) for i in self.folds.column("image_id").to_pylist()]
        )
        image = image[tested]
        truth = self.truth[image]
        lucky = rng.random(len(image)) < right
        guess = np.where(lucky, truth, rng.integers(0, 4, len(image)))
        self.add(
            encoder, method, image, guess, {k: v[tested] for k, v in folds.items()}
        )
        return guess

    def add(self, encoder, method, image, guess, run) -> None:
        n = len(image)
        path = self.folder / f"{encoder}.{method}.parquet"
        write_table(
            path,
            "predictions",
            {
                "image_id": self.ids[image],
                "y_true": [AGES[k] for k in self.truth[image]],
                "y_pred": [AGES[k] for k in guess],
                "y_raw": guess + 1.0,
                "encoder": [encoder] * n,
                "method": [method] * n,
                "protocol": ["p"] * n,
                **run,
                "seed": [0] * n,
            },
            {
                "study": "demo",
                "labels": "ordinal",
                "classes": AGES,
                "values": [1.0, 2.0, 3.0, 4.0],
                "scores": None,
                "design": self.kind,
            },
        )
        self.tables.append(read_table(path, "predictions"))

    def _write_manifest(self, split) -> None:
        n = self.n
        write_table(
            self.folder / "manifest.parquet",
            "manifest",
            {
                "image_id": self.ids,
                "path": self.ids,
                "label": [AGES[k] for k in self.truth],
                "value": self.truth + 1.0,
                "split": list(split),
                "group": self.group,
                "width": [8] * n,
                "height": [8] * n,
            },
        )

    def _folds(self, kind: dict) -> pa.Table:
        manifest = read_table(self.folder / "manifest.parquet", "manifest")
        path = self.folder / "folds.parquet"
        write_table(path, "folds", make_folds(manifest, kind, 0))
        return read_table(path, "folds")


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., Study]:
    def make(n: int = 200, groups: bool = False, **kind: object) -> Study:
        return Study(tmp_path, n, kind, groups)

    return make


@pytest.fixture
def folded(study):
    """Three probes over 3 x 4 folds of 203 images."""
    made = study(203, kind="kfold", folds=4, repeats=3)
    for encoder, right, seed in (("a", 0.8, 1), ("b", 0.4, 2), ("c", 0.8, 3)):
        made.predict(encoder, right, seed)
    return made


@pytest.fixture
def fixed(study):
    """Two encoders without training on 203 images."""
    made = study(203, kind="kfold", folds=4, repeats=3)
    made.predict("a", 0.8, 1, "zeroshot")
    made.predict("b", 0.55, 2, "zeroshot")
    return made
