"""Does anything leak? With labels that are pure noise, every accuracy must be chance.

    python benchmarks/probes_leak.py [simulations]

Balanced classes are dealt to images at random, so the features say nothing and the
expected accuracy of any honest procedure is 1 / K exactly. (Exactly, because here all
classes are equally frequent in every training set. Where one is rarer in training it is
more frequent in the test, and what learns frequencies scores below chance.) For every protocol and every
procedure that chooses something, the mean accuracy over the simulations is printed with
its interval; the last line shows a procedure that does leak, and must be caught.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from bakeoff.folds import make_folds
from bakeoff.probes.run import run_probe
from bakeoff.prompt_lab import Bank, choose, prompt_lab

IMAGES, FEATURES, CLASSES, PROMPTS = 48, 6, 3, 4
PROTOCOLS: dict[str, dict[str, Any]] = {
    "kfold": {"kind": "kfold", "folds": 4},
    "group kfold": {"kind": "kfold", "folds": 4, "grouped": True},
    "split": {"kind": "split"},
    "holdout": {"kind": "holdout", "test": 0.25, "validation": 0.25, "repeats": 2},
    "fewshot": {"kind": "fewshot", "shots": 4, "seeds": 2},
    "curve": {"kind": "curve", "test": 0.25, "fractions": [0.5, 1.0], "seeds": 2},
}
PROBES: dict[str, dict[str, Any]] = {
    "ridge, nested alpha": {"kind": "ridge", "alpha": "nested", "standardise": True},
    "ridge, cut-points": {"kind": "ridge", "decode": "cutpoints", "ordinal": True},
    "svc, nested C": {"kind": "svc", "C": "nested", "Cs": [0.1, 10.0]},
    "knn": {"kind": "knn", "k": 3},
}
Run = Callable[[dict[str, Any]], float]


def simulate(seed: int, protocol: str) -> dict[str, Any]:
    """One data set whose labels are noise: its tables, vectors x and labels y."""
    rng = np.random.default_rng([seed, list(PROTOCOLS).index(protocol)])
    settings = dict(PROTOCOLS[protocol])
    grouped = settings.pop("grouped", False)
    pairs = IMAGES // 2
    if grouped:  # Two images of one label and nearly equal vectors per group.
        y = np.repeat(rng.permutation(np.arange(pairs) % CLASSES), 2)
        x = np.repeat(rng.normal(size=(pairs, FEATURES)), 2, axis=0)
        x += 0.1 * rng.normal(size=x.shape)
    else:
        y = rng.permutation(np.arange(IMAGES) % CLASSES)
        x = rng.normal(size=(IMAGES, FEATURES))
    ids = [f"{i:064x}" for i in range(IMAGES)]
    groups = [f"g{i // 2}" if grouped else None for i in range(IMAGES)]
    manifest = pa.table(
        {
            "image_id": ids,
            "path": ids,
            "label": [str(label) for label in y],
            "value": y.astype(float),
            "split": _balanced_split(y) if protocol == "split" else [""] * IMAGES,
            "group": pa.array(groups, pa.string()),
        }
    )
    return {
        "x": x,
        "y": y,
        "manifest": manifest,
        "embeddings": pa.table({"image_id": ids, "embedding": _vectors(x)}),
        "folds": pa.table(make_folds(manifest, settings, seed)),
        "texts": pa.table(
            {
                "class": [str(c) for c in np.repeat(np.arange(CLASSES), PROMPTS)],
                "embedding": _vectors(rng.normal(size=(CLASSES * PROMPTS, FEATURES))),
            }
        ),
    }


def probe_accuracy(data: dict[str, Any], settings: dict[str, Any]) -> float:
    """Accuracy of a probe over all images and repeats."""
    settings = dict(settings)
    columns, _ = run_probe(
        data["embeddings"],
        data["manifest"],
        data["folds"],
        encoder="noise",
        method="probe",
        protocol="p",
        study="noise",
        settings=settings,
        labels="ordinal" if settings.pop("ordinal", False) else "nominal",
        seed=1,
    )
    return float((columns["y_true"] == columns["y_pred"]).mean())


def lab_accuracy(data: dict[str, Any]) -> float:
    """Accuracy of the prompts that the prompt lab keeps, on held-out images."""
    lab = prompt_lab(
        data["embeddings"],
        data["texts"],
        data["manifest"],
        data["folds"],
        encoder="noise",
        protocol="p",
        study="noise",
        labels="nominal",
        logit_scale=10.0,
    )
    return lab.gain.after


def leaking_accuracy(data: dict[str, Any]) -> float:
    """Accuracy of prompts chosen on the images that score them."""
    unit = data["x"] / np.linalg.norm(data["x"], axis=1, keepdims=True)
    texts = np.array(data["texts"]["embedding"].to_pylist())
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    bank = Bank(texts, np.repeat(np.arange(CLASSES), PROMPTS), CLASSES)
    heads = bank.heads(choose(bank, unit, data["y"]))
    return float(((unit @ heads.T).argmax(axis=1) == data["y"]).mean())


def procedures() -> dict[str, Run]:
    """Everything that is tried on a data set, by name."""
    tried: dict[str, Run] = {
        name: lambda data, settings=settings: probe_accuracy(data, settings)
        for name, settings in PROBES.items()
    }
    return {**tried, "prompt lab": lab_accuracy}


def interval(accuracies: list[float], z: float = 1.96) -> tuple[float, float, float]:
    """Mean over the simulations and the ends of its interval."""
    mean = float(np.mean(accuracies))
    half = z * float(np.std(accuracies, ddof=1)) / np.sqrt(len(accuracies))
    return mean, mean - half, mean + half


def rows(simulations: int) -> Iterator[tuple[str, str, float, float, float]]:
    """(protocol, procedure, mean, low, high) of all of them, then of the leak."""
    tried = procedures()
    for protocol in PROTOCOLS:
        data = [simulate(seed, protocol) for seed in range(simulations)]
        for name, run in tried.items():
            yield (protocol, name, *interval([run(d) for d in data]))
    data = [simulate(seed, "kfold") for seed in range(simulations)]
    yield (
        "none",
        "prompts chosen on the test",
        *interval(list(map(leaking_accuracy, data))),
    )


def _balanced_split(y: np.ndarray) -> list[str]:
    """Two thirds of each class to train, the rest to test."""
    rank = np.array([(y[:i] == label).sum() for i, label in enumerate(y)])
    return ["test" if r % 3 == 2 else "train" for r in rank]


def _vectors(x: np.ndarray) -> pa.Array:
    flat = pa.array(np.asarray(x, np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, x.shape[1])


if __name__ == "__main__":
    simulations = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    print(f"chance {1 / CLASSES:.4f}, {simulations} simulations")
    for protocol, name, mean, low, high in rows(simulations):
        covered = "chance" if low <= 1 / CLASSES <= high else "NOT CHANCE"
        print(f"{protocol:12} {name:28} {mean:.4f} [{low:.4f}, {high:.4f}] {covered}")
