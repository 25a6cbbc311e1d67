"""Is it the loss, the batch or the memory? One at a time, on the same images.

    python benchmarks/ablation.py --manifest M.parquet --images DIR --prompts BANK.csv \
        --encoder resources/encoders/tiny-clip --out ablation.csv --seeds 3

From one base recipe, each row changes a single choice: the loss, the batch, the queue,
or the targets; everything else, the number of images seen included, stays. Images of
the manifest's split "train" are trained on, those of "test" are scored zero-shot with
the whole bank. BANK.csv has the columns class, template, text.

Writes a row per choice and seed, and prints the mean over seeds with its difference
from the base, paired by seed, and that difference's standard error. Small differences
over three seeds are signs, not sizes.
"""

import argparse
import csv
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, "workflow/scripts")

from bakeoff.finetune.dataset import BankRow, dataset
from bakeoff.finetune.evaluate import Judge
from bakeoff.finetune.model import load
from bakeoff.finetune.pictures import Pictures, read
from bakeoff.finetune.recipe import Recipe
from bakeoff.finetune.train import finetune
from bakeoff.tables import read_table, strings

CHOICES: dict[str, dict[str, Any]] = {
    "base": {},
    "loss: sigmoid": {"loss": "sigmoid"},
    "batch: a quarter": {"batch": 0.25},
    "batch: four times": {"batch": 4.0},
    "queue: one batch": {"queue": 1.0},
    "queue: four batches": {"queue": 4.0},
    "queue: four, stored texts": {"queue": 4.0, "queue_texts": "stored"},
    "positives: pair": {"positives": "pair"},
    "positives: pair, queue: four": {"positives": "pair", "queue": 4.0},
    "sigmoid, positives: pair": {"loss": "sigmoid", "positives": "pair"},
}


def settings(base: dict[str, Any], choice: dict[str, Any]) -> dict[str, Any]:
    """The base with one choice; batch and queue are in units of the base's batch."""
    sized = {
        key: max(2, round(value * base["batch"]))
        if key in ("batch", "queue")
        else value
        for key, value in choice.items()
    }
    return base | sized


def accuracy(data: Any, folder: Path) -> float:
    """Mean over classes of the share of `data` that the encoder names rightly."""
    encoder = load(folder, "cpu")
    plain = [Recipe().augmentation] * len(data)
    pictures = Pictures(
        data.files, plain, read, encoder.preprocess, seed=0, threads=1, device="cpu"
    )
    judge = Judge(data, pictures, encoder.tokenize(data.bank.texts), 64)
    score = judge.accuracy(encoder.model)
    pictures.close()
    return score


def read_bank(path: Path) -> list[BankRow]:
    """Rows (class, template, text)."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            (row["class"], int(row["template"]), row["text"])
            for row in csv.DictReader(file)
        ]


def main() -> None:
    """Run every choice with every seed; write and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("manifest", "images", "prompts", "encoder", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--epochs", type=float, default=10)
    parser.add_argument("--lr", type=float, default=3e-4)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    manifest, bank = (
        read_table(options.manifest, "manifest"),
        read_bank(options.prompts),
    )
    splits, ids = strings(manifest, "split"), strings(manifest, "image_id")
    train, test = ids[splits == "train"], ids[splits == "test"]
    data = dataset(manifest, options.images, test, bank)
    base = {"batch": options.batch, "epochs": options.epochs, "lr": options.lr}
    base |= {"micro_batch": min(64, options.batch)}
    print(f"{'frozen':32}{accuracy(data, options.encoder):7.3f}")
    results: dict[str, list[float]] = {}
    for name, choice in CHOICES.items():
        recipe = Recipe.of(settings(base, choice), name)
        for seed in range(options.seeds):
            with tempfile.TemporaryDirectory() as folder:
                out, state = Path(folder) / "encoder", Path(folder) / "state"
                finetune(
                    manifest,
                    options.images,
                    train,
                    bank,
                    options.encoder,
                    recipe,
                    out,
                    state,
                    seed=seed,
                    threads=torch.get_num_threads(),
                )
                results.setdefault(name, []).append(accuracy(data, out))
        show(name, results)
    write(options.out, results)


def show(name: str, results: dict[str, list[float]]) -> None:
    """Mean accuracy, and the paired difference from the base."""
    differences = np.subtract(results[name], results["base"])
    n = len(differences)
    error = statistics.stdev(differences) / n**0.5 if n > 1 else float("nan")
    mean = statistics.mean(results[name])
    print(f"{name:32}{mean:7.3f}{differences.mean():+8.3f} +- {error:.3f}", flush=True)


def write(path: Path, results: dict[str, list[float]]) -> None:
    """One row per choice and seed."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["choice", "seed", "accuracy"])
        for name, scores in results.items():
            writer.writerows((name, seed, score) for seed, score in enumerate(scores))


if __name__ == "__main__":
    main()
