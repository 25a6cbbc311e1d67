"""Fine-tuning: from an encoder and labelled images to another encoder.

    the training images, less those that the recipe chooses on
    each step: pictures, prompts and memory -> exact gradient -> AdamW
    at the end of an epoch: accuracy on the held-out images, if there are any
    at the end: the best or averaged weights, interpolated, saved as an encoder

Stops with BakeoffError where the loss or a gradient is not finite, and with
`signals.Interrupted` (exit status 75) after SIGTERM or SIGUSR1; started again with the
same arguments, it goes on from the last checkpoint and ends with the same weights.
"""

import contextlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import torch

from bakeoff.finetune.dataset import BankRow, dataset
from bakeoff.finetune.ranks import Ranks, joined
from bakeoff.finetune.recipe import Recipe
from bakeoff.finetune.signals import watched
from bakeoff.finetune.training import Training


def finetune(
    manifest: pa.Table,
    images: Path,
    train_ids: Iterable[str],
    bank: Sequence[BankRow],
    encoder_folder: Path,
    recipe: Recipe,
    out: Path,
    state: Path,
    *,
    seed: int,
    device: str = "cpu",
    threads: int = 1,
) -> pa.Table:
    """The rows of the `training` table; the encoder is written to the folder `out`.

    `manifest` is the table of that name and `images` the folder that its paths start
    from; only the images `train_ids` are ever opened. `bank` holds (class, template,
    text). `encoder_folder` is an open_clip folder of weights. `state` is a folder for
    checkpoints, which must outlive a killed job.

    On the CPU the weights are a function of the arguments to the bit, however often the
    training was interrupted. Under torchrun, or one SLURM task per device, all
    processes call this with the same arguments; the first one writes.
    """
    data = dataset(manifest, Path(images), train_ids, bank)
    folder, file = Path(encoder_folder), Path(state) / "checkpoint.pt"
    torch.set_num_threads(max(1, threads))
    with joined(device) as ranks, watched() as watch:
        place = _own_device(device, ranks)
        training = Training(data, folder, recipe, file, seed, place, threads, ranks)
        with contextlib.closing(training):
            training.restore()
            training.run(watch)
            training.finish(Path(out))
    return training.log.table()


def _own_device(device: str, ranks: Ranks) -> str:
    """Each process's own GPU; SLURM may let it see no other, torchrun shows them all."""
    if device == "cuda" and ranks.size > 1:
        place = int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count()
        device = f"cuda:{place}"
        torch.cuda.set_device(device)
    return device
