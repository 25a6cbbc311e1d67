"""Trainings in processes of their own, ended by SIGKILL at random moments."""

import multiprocessing
import shutil
import time
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import torch
from study import Study, weights
from support.moments import wait_for_moment

# Everything that a checkpoint must hold, and a checkpoint every third step.
RECIPE = {
    "loss": "sigmoid",
    "queue": 24,
    "queue_start": 2,
    "queue_ramp": 4,
    "drift_every": 2,
    "ema": 0.9,
    "validation": 0.25,
    "augmentation": {"crop": 0.5, "flip": 0.5, "rotate": 10, "jitter": 0.2},
    "epochs": 20,
    "checkpoint_every": 3,
}


@dataclass
class Kills:
    """What was met: kills, those of them before a first checkpoint, and whole trainings."""

    kills: int = 0
    before_a_checkpoint: int = 0
    trainings: int = 0


def train(study: Study, folder: Path) -> None:
    torch.set_num_threads(1)
    study.train(folder, **RECIPE)


def started(study: Study, folder: Path) -> BaseProcess:
    """A process that trains; it is forked from one that has loaded everything."""
    context = multiprocessing.get_context("forkserver")
    # Only installed modules: the server does not know the tests' folders.
    context.set_forkserver_preload(["bakeoff.finetune.train", "transformers"])
    process = context.Process(target=train, args=(study, folder))
    process.start()
    return process


def finished(study: Study, folder: Path) -> float:
    """Train to the end; seconds."""
    start = time.perf_counter()
    process = started(study, folder)
    process.join()
    assert process.exitcode == 0
    return time.perf_counter() - start


def same_weights(a: Path, b: Path) -> bool:
    ours, theirs = weights(a), weights(b)
    return ours.keys() == theirs.keys() and all(ours[k].equal(theirs[k]) for k in ours)


def kill_and_compare(study: Study, folder: Path, kills: int, seed: int) -> Kills:
    """Kill trainings until `kills` have met one; every end must equal the undisturbed.

    They are killed at any moment of an undisturbed one's duration and when a file
    appears. A killed training is started again where it was; one that came to its end
    before its kill is compared, and another begins.
    """
    whole, cut, rng = folder / "whole", folder / "cut", np.random.default_rng(seed)
    finished(study, folder / "warm")
    seconds, met = finished(study, whole), Kills()
    while met.kills < kills:
        process = started(study, cut)
        if wait_for_moment(cut, seconds, rng, process.is_alive):
            process.kill()
            process.join()
            met.kills += 1
            met.before_a_checkpoint += not (cut / "state/checkpoint.pt").exists()
        else:
            compare(whole, cut, met)
    finished(study, cut)
    compare(whole, cut, met)
    return met


def compare(whole: Path, cut: Path, met: Kills) -> None:
    assert same_weights(whole, cut), f"other weights after {met}"
    met.trainings += 1
    shutil.rmtree(cut)
