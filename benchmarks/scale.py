"""Memory and time of everything after the predictions, for more and more images.

    python benchmarks/scale.py --images 10000 100000 1000000

A study of six encoders is simulated: manifest, embeddings of 64 numbers, and predictions
of ten classes, zero-shot on a fixed test set (half of the images) and by ridge regression
in five folds. Encoders are right about four times of five, and more often together than
apart. Then the scripts of the workflow themselves make metrics, comparisons, figures and
the page, each in a process of its own whose CPU seconds and peak memory are told. Of a
step that is run for each encoder, the longest is told.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow/scripts"))

from bakeoff.tables import read_table, write_table  # noqa: E402
from planning.make import make_plan  # noqa: E402
from planning.settings import settings as settings_of  # noqa: E402

STUDY = "large"
CLASSES = [f"class {k}" for k in range(10)]
ENCODERS = [
    *("clip-vit-l-14-336", "clip-vit-l-14", "clip-vit-b-16"),
    *("clip-vit-b-32", "siglip-b-16-224", "siglip-l-16-384"),
]
RUNS = (("test", "zeroshot"), ("cv5", "ridge"))
DIMENSION = 64
FILES = 1000  # pictures; every image is one of them under a path of its own
# Tables of the page that stay empty, with their kinds: they count no image.
NOT_ASKED_FOR = {"retrieval": "metrics", "variance": "variance", "seeds": "seeds"}

CONFIG = {
    "encoders": ENCODERS,
    "probes": {"ridge": {"kind": "ridge"}},
    "protocols": {
        "cv5": {"kind": "kfold", "folds": 5, "repeats": 1},
        "test": {"kind": "split"},
    },
    "studies": {
        STUDY: {
            "images": "images",
            "labels": "nominal",
            "protocols": ["cv5", "test"],
            "prompts": "prompts.yaml",
        }
    },
}


def main() -> None:
    """Print a line per step: CPU seconds and megabytes at every size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--only", nargs="*", help="these steps alone")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        name, _, about = options.step.partition(" ")
        return simulate(int(about)) if name == "simulate" else STEPS[name](about)
    found = {n: measured(n, options.only or list(STEPS)) for n in options.images}
    heads = "".join(f"{n:>16,} images" for n in options.images)
    print(f"{'':24}{heads}")
    for name in STEPS:
        cells = [found[n].get(name) for n in options.images]
        told = "".join(f"{s:>12.1f} s{mb:>6.0f} MB" for s, mb in filter(None, cells))
        if told:
            print(f"{name:24}{told}")


def measured(images: int, steps: list[str]) -> dict[str, tuple[float, float]]:
    """CPU seconds and peak megabytes of every step, at one size."""
    found: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        # Apart too: a process's peak memory counts what it was forked from.
        run(f"simulate {images}")
        for name in steps:
            each = ENCODERS if name in PER_ENCODER else [""]
            found[name] = max(run(f"{name} {encoder}") for encoder in each)
            print(f"{images:,} {name}: {found[name]}", file=sys.stderr, flush=True)
        os.chdir(ROOT)
    return found


def run(step: str) -> tuple[float, float]:
    """CPU seconds and peak megabytes of one step in a process of its own."""
    process = subprocess.Popen([sys.executable, __file__, "--step", step])
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, f"{step} ended with {status}"
    return round(usage.ru_utime + usage.ru_stime, 1), round(usage.ru_maxrss / 1024)


# What is simulated.


def simulate(images: int) -> None:
    """A study's folder up to its predictions, from a seed."""
    rng = np.random.default_rng(0)
    _pictures(rng, images)
    Path("config").mkdir()
    Path("config/config.json").write_text(json.dumps(CONFIG))
    bank = {"templates": ["a {}"], "classes": dict.fromkeys(CLASSES)}
    Path("prompts.yaml").write_text(json.dumps(bank))
    truth = rng.integers(0, len(CLASSES), images)
    ids = np.sort([rng.bytes(32).hex() for _ in range(images)])
    split = np.where(rng.random(images) < 0.5, "test", "train")
    columns = {"image_id": pa.array(ids), "label": _words(truth), "split": split}
    paths = [f"{i // FILES:04}/{i % FILES:03}.png" for i in range(images)]
    columns |= {"path": paths, "width": np.full(images, 32), "height": [32] * images}
    write_table(table("manifest"), "manifest", columns)
    write_table(table("quarantine"), "quarantine", {"path": [], "reason": []})
    fold = np.where(split == "test", 0, -1)
    _folds("test", ids, fold, {"kind": "split"})
    _folds("cv5", ids, rng.integers(0, 5, images), {"kind": "kfold"})
    hard = rng.random(images)
    for place, encoder in enumerate(ENCODERS):
        _vectors(rng, encoder, ids, truth)
        right = hard + 0.3 * rng.standard_normal(images) < 0.8 + 0.004 * place
        said = np.where(right, truth, (truth + rng.integers(1, 10, images)) % 10)
        _predictions(rng, encoder, ids, truth, said)
    _costs()
    for name, kind in NOT_ASKED_FOR.items():
        write_table(table(name), kind, _no_rows(kind))


def _pictures(rng: np.random.Generator, images: int) -> None:
    """Folders that are all one folder, so that a million paths are a thousand files."""
    from PIL import Image

    Path("images/0000").mkdir(parents=True)
    for i in range(FILES):
        pixels = rng.integers(0, 256, (32, 32, 3), np.uint8)
        Image.fromarray(pixels).save(f"images/0000/{i:03}.png")
    for folder in range(1, -(-images // FILES)):
        Path(f"images/{folder:04}").symlink_to("0000")


def _words(codes: np.ndarray) -> pa.Array:
    return pa.array(CLASSES).take(pa.array(codes))


def _folds(name: str, ids: np.ndarray, fold: np.ndarray, protocol: dict) -> None:
    columns = {"image_id": pa.array(ids), "repeat": np.zeros(len(ids)), "fold": fold}
    write_table(table(f"folds/{name}"), "folds", columns, protocol)


def _vectors(
    rng: np.random.Generator, encoder: str, ids: np.ndarray, truth: np.ndarray
) -> None:
    centres = rng.standard_normal((len(CLASSES), DIMENSION)).astype(np.float32)
    noise = rng.standard_normal((len(ids), DIMENSION), np.float32)
    columns = {"image_id": pa.array(ids), "embedding": centres[truth] + noise}
    write_table(table(f"embeddings/{encoder}"), "embeddings", columns)


def _predictions(
    rng: np.random.Generator,
    encoder: str,
    ids: np.ndarray,
    truth: np.ndarray,
    said: np.ndarray,
) -> None:
    for protocol, method in RUNS:
        folds = read_table(table(f"folds/{protocol}"), "folds")
        fold = np.asarray(folds["fold"])
        own = np.flatnonzero(fold >= 0)
        scores = rng.standard_normal((len(own), len(CLASSES)), np.float32)
        scores[np.arange(len(own)), said[own]] = scores.max(axis=1) + 0.5
        columns = {
            "image_id": pa.array(ids[own]),
            "y_true": _words(truth[own]),
            "y_pred": _words(said[own]),
            "scores": scores,
            "repeat": np.zeros(len(own)),
            "fold": fold[own],
            "seed": np.zeros(len(own)),
        }
        names = {"encoder": encoder, "method": method, "protocol": protocol}
        columns |= {name: pa.repeat(text, len(own)) for name, text in names.items()}
        note = {"study": STUDY, "labels": "nominal", "classes": CLASSES, "values": None}
        note |= {"scores": "logit" if method == "zeroshot" else "decision"}
        note |= {"design": "split" if protocol == "test" else "kfold"}
        path = table(f"predictions/{protocol}/{method}/{encoder}")
        write_table(path, "predictions", columns, note)


def _costs() -> None:
    numbers = (
        "parameters",
        "parameters_image",
        "gflops",
        "images_per_s",
        "spread",
        "latency_ms",
    )
    numbers += ("peak_memory_mb", "dimension", "bytes")
    columns: dict[str, Any] = {"encoder": ENCODERS}
    columns |= {name: np.arange(1, 7) * 10 for name in numbers}
    columns |= {name: ["simulated"] * 6 for name in ("device", "precision")}
    write_table(table("costs"), "costs", columns)


def _no_rows(kind: str) -> dict[str, list]:
    from bakeoff.schemas import SCHEMAS

    return {name: [] for name in SCHEMAS[kind].names}


def table(name: str) -> Path:
    """A table of the study."""
    return Path(f"results/{STUDY}/{name}.parquet")


# The steps: each calls a script of the workflow as its rule does.


def script(name: str, **arguments: Any) -> None:
    """Call the script's function of the script's name."""
    getattr(importlib.import_module(name), name)(**arguments)


def settings(section: str, **wildcards: str) -> dict[str, Any]:
    """What the section's rule is given of the configuration."""
    plan = make_plan(json.loads(Path("config/config.json").read_text()), ROOT)
    names = SimpleNamespace(study=STUDY, **wildcards)
    return json.loads(settings_of(plan, section, names))


def predictions(protocol: str, method: str, encoders: list[str]) -> list[Path]:
    """Tables of predictions of one run."""
    return [table(f"predictions/{protocol}/{method}/{e}") for e in encoders]


def outputs(name: str) -> list[Path]:
    """Where a figure goes."""
    path = Path(f"results/{STUDY}/figures/{name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    return [path.with_suffix(suffix) for suffix in (".svg", ".png")]


def metrics(encoder: str) -> None:
    """Every metric of one encoder."""
    script(
        "metrics",
        predictions=[p for run in RUNS for p in predictions(*run, [encoder])],
        manifest=table("manifest"),
        output_metrics=table(f"metrics/{encoder}"),
        study=STUDY,
    )


def compare(_: str) -> None:
    """Every pair of encoders, by every test."""
    script(
        "compare",
        predictions=[p for run in RUNS for p in predictions(*run, ENCODERS)],
        metrics=[table(f"metrics/{encoder}") for encoder in ENCODERS],
        folds=[table(f"folds/{protocol}") for protocol, _ in RUNS],
        manifest=table("manifest"),
        output_comparisons=table("comparisons"),
        study=STUDY,
        settings=settings("compare"),
    )


def of_metrics(_: str) -> None:
    """The figures that are drawn from small tables."""
    script(
        "figure_accuracy",
        metrics=[table(f"metrics/{encoder}") for encoder in ENCODERS],
        outputs=outputs("accuracy"),
        settings=settings("figure_accuracy"),
    )
    for name in ("differences", "probabilities"):
        script(
            f"figure_{name}",
            comparisons=table("comparisons"),
            outputs=outputs(f"{name}/test/zeroshot"),
            settings=settings(f"figure_{name}"),
            run={"method": "zeroshot", "protocol": "test"},
        )


def of_predictions(name: str, most: int | None = None) -> Callable[[str], None]:
    """A figure of the predictions of one run, perhaps of so many encoders only."""

    def step(_: str) -> None:
        pictures = {"manifest": table("manifest")}
        script(
            f"figure_{name}",
            **(pictures if name in ("qualitative", "disputes") else {}),
            predictions=predictions("test", "zeroshot", ENCODERS[:most]),
            outputs=outputs(f"{name}/test/zeroshot"),
            settings=settings(f"figure_{name}"),
        )

    return step


def embedding_map(encoder: str) -> None:
    """The embeddings of one encoder in two dimensions."""
    script(
        "figure_embedding_map",
        manifest=table("manifest"),
        embeddings=table(f"embeddings/{encoder}"),
        encoder=encoder,
        outputs=outputs(f"embedding_map/{encoder}"),
        settings=settings("figure_embedding_map"),
    )


def summary(_: str) -> None:
    """The page."""
    figures = Path(f"results/{STUDY}/figures")
    script(
        "summary",
        **{name: table(name) for name in ("manifest", "quarantine", "comparisons")},
        **{name: table(name) for name in ("costs", *NOT_ASKED_FOR)},
        predictions=predictions("test", "zeroshot", ENCODERS),
        metrics=[table(f"metrics/{encoder}") for encoder in ENCODERS],
        figures=sorted(figures.rglob("*.svg")),
        captions=sorted((ROOT / "workflow/report").glob("*.rst")),
        output_page=Path(f"results/{STUDY}/summary.html"),
        study=STUDY,
        settings=settings("summary") | {"main_run": ["test", "zeroshot"]},
        threads=2,
    )


STEPS: dict[str, Callable[[str], None]] = {
    "metrics": metrics,
    "compare": compare,
    "small_figures": of_metrics,
    "confusion": of_predictions("confusion"),
    "confusion_difference": of_predictions("confusion_difference", 2),
    "qualitative": of_predictions("qualitative", 2),
    "disputes": of_predictions("disputes"),
    "reliability": of_predictions("reliability"),
    "embedding_map": embedding_map,
    "summary": summary,
}
PER_ENCODER = {"metrics", "embedding_map"}


if __name__ == "__main__":
    main()
