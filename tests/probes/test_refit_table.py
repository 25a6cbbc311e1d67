"""The table of refits, from embeddings to the variance that comparisons take from it."""

import numpy as np
import pytest
from bakeoff.compare.refits import refits_of
from bakeoff.compare.rows import Question
from bakeoff.compare.units import unit_names
from bakeoff.folds import make_folds
from bakeoff.probes.refit_table import refit_rows
from bakeoff.probes.run import run_probe
from bakeoff.tables import read_table, write_table

SETTINGS = {"kind": "ridge", "alpha": 2.0}
NAMES = {"method": "ridge", "protocol": "cv", "labels": "ordinal"}


@pytest.fixture
def study(tmp_path):
    """24 images of ages 1 to 4, a pair in one group, vectors of two encoders."""
    rng = np.random.default_rng(0)
    ids = [f"image{i:02d}" for i in range(24)]
    y = np.resize(np.arange(4), 24)
    manifest = {
        "image_id": ids, "path": ids, "label": [str(k + 1) for k in y],
        "value": y + 1.0, "split": [""] * 24, "group": ["g", *[None] * 3, "g", *[None] * 19],
        "width": [8] * 24, "height": [8] * 24,
    }  # fmt: skip
    write_table(tmp_path / "m.parquet", "manifest", manifest)
    manifest = read_table(tmp_path / "m.parquet", "manifest")
    protocol = {"kind": "kfold", "folds": 3, "repeats": 2}
    write_table(
        tmp_path / "f.parquet", "folds", make_folds(manifest, protocol, 0), protocol
    )
    folds, vectors = read_table(tmp_path / "f.parquet", "folds"), {}
    for encoder in "ab":
        x = (rng.normal(size=(24, 30)) + 0.3 * y[:, None]).astype(np.float32)
        path = tmp_path / f"{encoder}.parquet"
        write_table(path, "embeddings", {"image_id": ids, "embedding": x})
        vectors[encoder] = read_table(path, "embeddings")
    return tmp_path, manifest, folds, vectors


def rows(study, encoder, **settings):
    _, manifest, folds, vectors = study
    return refit_rows(
        vectors[encoder], manifest, folds, encoder=encoder,
        settings=SETTINGS | settings, metrics=["accuracy", "rmse", "bias", "tau"], **NAMES,
    )  # fmt: skip


def test_without_an_image_is_the_probe_run_without_it(study):
    """By the probe's own code, on a manifest and folds that lack the image."""
    _, manifest, folds, vectors = study
    made = rows(study, "a")
    own = dict(
        zip(zip(made["metric"], made["unit"], strict=True), made["value"], strict=True)
    )
    assert set(made["metric"]) == {"rmse", "bias"}
    assert len(own) == 2 * 23
    for i in (1, 9):
        gone = f"image{i:02d}"
        kept = [
            t.filter(np.array(t.column("image_id").to_pylist()) != gone)
            for t in (vectors["a"], manifest, folds)
        ]
        columns, _ = run_probe(
            *kept, encoder="a", study="s", settings=SETTINGS, seed=0, **NAMES
        )
        error = columns["y_raw"] - np.array(columns["y_true"], dtype=float)
        each = [np.sqrt(np.mean(error[columns["repeat"] == r] ** 2)) for r in (0, 1)]
        assert own["rmse", f"image {gone}"] == pytest.approx(np.mean(each), rel=1e-6)


@pytest.mark.parametrize(
    "settings",
    [
        {"alpha": "nested"},
        {"decode": "cutpoints"},
        {"standardise": True},
        {"kind": "svc"},
    ],
)
def test_no_rows_where_the_closed_form_is_not_exact(study, settings):
    assert rows(study, "a", **settings)["value"] == []


def test_variance_of_a_pair_by_hand(study):
    folder, manifest, *_ = study
    tables, values = [], {}
    for encoder in "ab":
        made = rows(study, encoder)
        write_table(folder / f"refits-{encoder}.parquet", "refits", made)
        tables.append(read_table(folder / f"refits-{encoder}.parquet", "refits"))
        values[encoder] = np.array(made["value"])[np.array(made["metric"]) == "rmse"]
    groups = dict(
        zip(
            *(manifest.column(c).to_pylist() for c in ("image_id", "group")),
            strict=True,
        )
    )
    names = unit_names(np.array(list(groups)), groups)
    q = Question("s", "ridge", "cv", "rmse", "", "a", "b", "lower", 0.05, 24)
    gap = values["a"] - values["b"]
    expected = 22 / 23 * ((gap - gap.mean()) ** 2).sum()
    assert refits_of(tables).variance(q, names) == pytest.approx(expected)
    assert refits_of(tables[:1]).variance(q, names) is None
