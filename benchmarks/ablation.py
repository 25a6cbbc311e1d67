"""Is it the loss, the batch, the memory or the targets? One at a time, several seeds.

    snakemake --cores 1 results/activities/manifest.parquet     (the demo's images)
    python benchmarks/ablation.py --out ablation.csv

Recipes, encoders and seeds are those of config/studies/ablation.yaml; each recipe
changes one choice of `base`, and all see the same number of images. Images of the
manifest's split "train" are trained on, all others scored zero-shot with the whole bank
of prompts.

Writes a row per recipe and seed as soon as it is known, and prints the mean over seeds
with its standard deviation, and the difference from `base`, paired by seed, with its
95 % t interval. Differences over three seeds are signs, not sizes.
"""

import argparse
import csv
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from scipy.stats import t as student

sys.path.insert(0, "workflow/scripts")

from bakeoff.finetune.dataset import BankRow, dataset
from bakeoff.finetune.evaluate import Judge
from bakeoff.finetune.model import load
from bakeoff.finetune.pictures import Pictures
from bakeoff.finetune.recipe import Recipe
from bakeoff.finetune.train import finetune
from bakeoff.images import read_image
from bakeoff.prompts import read_bank
from bakeoff.tables import read_table, strings
from planning.encoder_id import EncoderId, parse

Scores = dict[str, dict[int, float]]  # recipe -> seed -> accuracy


class Study:
    """Training and test images of a manifest, with the prompts of their classes."""

    def __init__(self, manifest: Path, images: Path, prompts: Path) -> None:
        self.manifest, self.images = read_table(manifest, "manifest"), images
        self.bank: list[BankRow] = [
            (p.label, p.template, p.text)
            for p in read_bank(prompts, sorted(set(strings(self.manifest, "label"))))
        ]
        tested = strings(self.manifest, "split") == "test"
        ids = strings(self.manifest, "image_id")
        self.train, self.test = ids[~tested], ids[tested]

    def accuracy(self, folder: Path) -> float:
        """Mean over classes of the share of test images that the encoder names rightly."""
        data, encoder = (
            dataset(self.manifest, self.images, self.test, self.bank),
            load(folder, "cpu"),
        )
        pictures = Pictures(
            data.files,
            [Recipe().augmentation] * len(data),
            read_image,
            encoder.preprocess,
            seed=0,
            threads=1,
            device="cpu",
        )
        judge = Judge(data, pictures, encoder.tokenize(data.bank.texts), 64)
        score = judge.accuracy(encoder.model)
        pictures.close()
        return score

    def tuned_accuracy(self, folder: Path, recipe: Recipe, seed: int) -> float:
        """The same after fine-tuning the encoder of `folder`."""
        with tempfile.TemporaryDirectory() as place:
            out, state = Path(place) / "encoder", Path(place) / "state"
            finetune(
                self.manifest,
                self.images,
                self.train,
                self.bank,
                folder,
                recipe,
                out,
                state,
                seed=seed,
                threads=torch.get_num_threads(),
            )
            return self.accuracy(out)


def trainings(encoders: list[str]) -> list[EncoderId]:
    """The fine-tuned encoders, all recipes of one seed before the next seed."""
    parts = [parse(encoder) for encoder in encoders]
    tuned = [part for part in parts if part and part.recipe]
    return sorted(tuned, key=lambda part: part.seed or 0)


def show(scores: Scores) -> None:
    """Mean and spread of every recipe, and its paired difference from the base."""
    for name, found in scores.items():
        seeds = sorted(set(found) & set(scores["base"]))
        values = np.array([found[seed] for seed in seeds])
        gain = values - [scores["base"][seed] for seed in seeds]
        n = len(seeds)
        half = student.ppf(0.975, n - 1) * gain.std(ddof=1) / n**0.5 if n > 1 else None
        spread = f"{values.std(ddof=1):.3f}" if n > 1 else "one seed"
        margin = "" if half is None else f" +- {half:.3f}"
        print(f"{name:12}{values.mean():7.3f} ({spread}){gain.mean():+8.3f}{margin}")


def main() -> None:
    """Run every recipe with every seed; write and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    defaults: dict[str, Any] = {
        "config": "config/studies/ablation.yaml",
        "manifest": "results/activities/manifest.parquet",
        "images": "results/demo/activities",
        "prompts": "config/prompts/activities.yaml",
        "encoders": "resources/encoders",
        "out": "ablation.csv",
    }
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=Path, default=Path(value))
    options = parser.parse_args()
    config = yaml.safe_load(options.config.read_text(encoding="utf-8"))
    study = Study(options.manifest, options.images, options.prompts)
    scores: Scores = {}
    with options.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["recipe", "seed", "accuracy"])
        for part in trainings(config["encoders"]):
            recipe, seed = str(part.recipe), part.seed or 0
            score = study.tuned_accuracy(
                options.encoders / part.base,
                Recipe.of(config["recipes"][recipe], recipe),
                seed,
            )
            scores.setdefault(recipe, {})[seed] = score
            writer.writerow((recipe, seed, score))
            file.flush()
    show(scores)


if __name__ == "__main__":
    main()
