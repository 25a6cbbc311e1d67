"""Tables as the workflow makes them, generated: two studies, three encoders.

Every number in `metrics` and `comparisons` follows from `predictions`; the intervals of
`comparisons` are stand-ins (a normal approximation), because figures only read them.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest
from bakeoff.schemas import SCHEMAS
from bakeoff.tables import read_table, write_table

ACTIVITIES = (
    "calling", "clapping", "cycling", "dancing", "drinking", "eating", "fighting",
    "hugging", "laughing", "listening_to_music", "running", "sitting", "sleeping",
    "texting", "using_laptop",
)  # fmt: skip
AGES = tuple(str(age) for age in range(1, 11))
ENCODERS = ("siglip2-so400m-14-378", "siglip-so400m-14-384", "clip-vit-b-32+har-xbm")
METHODS = ("ridge", "zeroshot")


@dataclass(frozen=True)
class Study:
    """All tables of one study."""

    name: str
    classes: tuple[str, ...]
    manifest: pa.Table
    predictions: list[pa.Table]
    metrics: pa.Table
    comparisons: pa.Table
    costs: pa.Table


def stored(path, kind, columns, provenance=None) -> pa.Table:
    """Written and read, so that every type is the one of the schema."""
    write_table(path, kind, columns, provenance)
    return read_table(path, kind)


def make_study(
    folder,
    *,
    name="har",
    classes=ACTIVITIES,
    encoders=ENCODERS,
    methods=METHODS,
    per_class=20,
    repeats=2,
    folds=5,
    ordinal=False,
    seed=0,
) -> Study:
    """A study whose encoders differ in skill, in the order of their names."""
    rng = np.random.default_rng(seed)
    k = len(classes)
    y = np.repeat(np.arange(k), per_class)
    ids = np.array([f"{i:064x}" for i in range(len(y))])
    manifest = stored(
        folder / "manifest.parquet",
        "manifest",
        {
            "image_id": ids,
            "path": [f"test/{classes[c]}/{i}.jpg" for i, c in enumerate(y)],
            "label": [classes[c] for c in y],
            "value": [float(classes[c]) if ordinal else None for c in y],
            "split": [""] * len(y),
            "width": [96] * len(y),
            "height": [96] * len(y),
        },
    )
    runs = {}
    for e, encoder in enumerate(encoders):
        for m, method in enumerate(methods):
            for repeat in range(repeats if method != "zeroshot" else 1):
                skill = 2.6 - 0.35 * (e % 7) - 0.5 * m
                runs[encoder, method, repeat] = _predict(
                    rng, y, k, skill, ordinal=ordinal
                )
    assignment = np.arange(len(y)) % folds
    tables = [
        _prediction_table(folder, encoder, method, runs, y, ids, assignment, classes,
                          ordinal=ordinal, name=name)
        for encoder in encoders
        for method in methods
    ]  # fmt: skip
    metrics = _metric_rows(runs, y, assignment, classes, name, ordinal=ordinal)
    comparisons = _comparison_rows(runs, y, classes, encoders, methods, name)
    return Study(
        name,
        tuple(classes),
        manifest,
        tables,
        stored(folder / "metrics.parquet", "metrics", metrics),
        stored(folder / "comparisons.parquet", "comparisons", comparisons),
        _costs(folder, encoders, rng),
    )


def _predict(rng, y, k, skill, *, ordinal):
    if ordinal:
        raw = 0.88 * y + 0.5 + rng.normal(0, 1.6 / skill, len(y))
        return np.clip(np.rint(raw), 0, k - 1).astype(int), raw, None
    logits = rng.normal(size=(len(y), k))
    logits[np.arange(len(y)), y] += skill
    logits[np.arange(len(y)), (y + 1) % k] += 0.5 * skill * (y % 3 == 0)
    scores = np.exp(1.2 * logits)
    scores /= scores.sum(axis=1, keepdims=True)
    return scores.argmax(axis=1), None, scores.astype(np.float32)


def _prediction_table(
    folder, encoder, method, runs, y, ids, assignment, classes, *, ordinal, name
):
    chosen = [(r, v) for (e, m, r), v in runs.items() if (e, m) == (encoder, method)]
    n = len(chosen)
    columns = {
        "image_id": np.tile(ids, n).tolist(),
        "y_true": [classes[c] for _ in chosen for c in y],
        "y_pred": [classes[c] for _, (pred, _, _) in chosen for c in pred],
        "encoder": [encoder] * n * len(y),
        "method": [method] * n * len(y),
        "protocol": ["cv5"] * n * len(y),
        "repeat": np.repeat([r for r, _ in chosen], len(y)),
        "fold": np.tile(assignment, n),
        "seed": [0] * n * len(y),
    }
    if ordinal:
        columns["y_raw"] = np.concatenate([raw for _, (_, raw, _) in chosen]) + 1
    else:
        columns["scores"] = np.concatenate([scores for _, (_, _, scores) in chosen])
    note = {
        "classes": list(classes),
        "scores": "probability",
        "labels": "ordinal" if ordinal else "nominal",
        "study": name,
    }
    if ordinal:
        note["values"] = [float(c) for c in classes]
    file = f"{list(runs).index((encoder, method, 0))}.parquet"
    return stored(folder / file, "predictions", columns, note)


def _metric_rows(runs, y, assignment, classes, study, *, ordinal):
    rows: list[dict] = []

    def add(encoder, method, repeat, fold, metric, value, top=None, n=None, label=""):
        rows.append(
            {
                "study": study, "encoder": encoder, "method": method,
                "protocol": "cv5", "repeat": repeat, "fold": fold, "class": label,
                "metric": metric, "value": value, "numerator": top, "denominator": n,
            }
        )  # fmt: skip

    for encoder, method in dict.fromkeys((e, m) for e, m, _ in runs):
        mine = {r: v[0] for (e, m, r), v in runs.items() if (e, m) == (encoder, method)}
        hits = {r: pred == y for r, pred in mine.items()}
        for repeat, hit in hits.items():
            for fold in range(assignment.max() + 1):
                part = hit[assignment == fold]
                add(encoder, method, repeat, fold, "accuracy", part.mean(),
                    part.sum(), len(part))  # fmt: skip
            add(encoder, method, repeat, -1, "accuracy", hit.mean(),
                hit.sum(), len(hit))  # fmt: skip
        pooled = np.mean(list(hits.values()), axis=0)
        r = len(hits)
        add(encoder, method, -1, -1, "accuracy", pooled.mean(),
            pooled.sum() * r, len(y) * r)  # fmt: skip
        add(encoder, method, -1, -1, "macro_f1", pooled.mean() - 0.004)
        if ordinal:
            error = np.mean(
                [(v[1] - y) ** 2 for (e, m, _), v in runs.items()
                 if (e, m) == (encoder, method)]
            )  # fmt: skip
            add(encoder, method, -1, -1, "rmse", float(np.sqrt(error)))
        for c, label in enumerate(classes):
            part = pooled[y == c]
            add(encoder, method, -1, -1, "recall", part.mean(), part.sum() * r,
                len(part) * r, label)  # fmt: skip
            add(encoder, method, -1, -1, "support", len(part), len(part) * r, r, label)
    return {name: [row[name] for row in rows] for name in rows[0]}


def _comparison_rows(runs, y, classes, encoders, methods, study):
    rows = []
    for method in methods:
        hit = {e: runs[e, method, 0][0] == y for e in encoders}
        for i, a in enumerate(encoders):
            for b in encoders[i + 1 :]:
                gap = hit[a].astype(float) - hit[b]
                rows.append(_row(study, method, "", a, b, gap, "nb_t", primary=True))
                rows.append(
                    _row(study, method, "", a, b, gap, "paired_t", primary=False)
                )
                rows.extend(
                    _row(study, method, label, a, b, gap[y == c], "mcnemar_mid_p",
                         primary=True, metric="recall")
                    for c, label in enumerate(classes)
                )  # fmt: skip
    return {
        c.name: [row.get(c.name) for row in rows]
        for c in SCHEMAS["comparisons"].columns
    }


def _row(study, method, label, a, b, gap, test, *, primary, metric="accuracy"):
    from scipy import stats

    estimate, se = gap.mean(), max(gap.std() / np.sqrt(len(gap)), 1e-3)
    low, high = estimate - 1.96 * se, estimate + 1.96 * se
    worse, better = (
        stats.norm.cdf(-0.01, estimate, se),
        stats.norm.sf(0.01, estimate, se),
    )
    p = float(2 * stats.norm.sf(abs(estimate) / se))
    verdict = "inconclusive"
    if low > 0 or high < 0:
        verdict = "better" if estimate > 0 else "worse"
    return {
        "study": study, "method": method, "protocol": "cv5", "metric": metric,
        "class": label, "a": a, "b": b, "test": test, "primary": primary,
        "n": len(gap), "estimate": estimate, "ci_low": low, "ci_high": high,
        "confidence": 0.95, "statistic": estimate / se, "df": None, "p": p,
        "p_adjusted": min(1.0, 3 * p), "p_better": better,
        "p_equivalent": 1 - better - worse, "p_worse": worse, "detectable": 2.8 * se,
        "verdict": verdict,
        "note": None if primary else "naive: ignores that training sets overlap",
    }  # fmt: skip


def _costs(folder, encoders, rng):
    n = len(encoders)
    parameters = (10 ** rng.uniform(7.5, 9, n)).astype(int)
    return stored(
        folder / "costs.parquet",
        "costs",
        {
            "encoder": list(encoders),
            "parameters": parameters,
            "parameters_image": parameters // 2,
            "gflops": parameters / 2e6,
            "images_per_s": 4e10 / parameters,
            "spread": [0.02] * n,
            "latency_ms": parameters / 4e6,
            "peak_memory_mb": parameters / 2e5,
            "dimension": [768] * n,
            "bytes": parameters * 4,
            "device": ["cpu"] * n,
            "precision": ["float32"] * n,
        },
    )


@pytest.fixture(scope="session")
def activities(tmp_path_factory) -> Study:
    """Nominal, 15 classes."""
    return make_study(tmp_path_factory.mktemp("activities"))


@pytest.fixture(scope="session")
def otoliths(tmp_path_factory) -> Study:
    """Ordinal, ages 1 to 10."""
    return make_study(
        tmp_path_factory.mktemp("otoliths"),
        name="otolith",
        classes=AGES,
        methods=("ridge",),
        ordinal=True,
    )


@pytest.fixture(scope="session")
def make(tmp_path_factory):
    """A maker of further studies."""
    return lambda **choices: make_study(tmp_path_factory.mktemp("study"), **choices)


@pytest.fixture(scope="session")
def through_disk():
    """Columns written as a table and read back."""
    return stored
