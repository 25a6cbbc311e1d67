"""A fine-tuned encoder, and the table of its training.

1. Train on the study's training images with the prompts of their classes; what the
   recipe chooses, it chooses on a part of these.
2. Write the encoder as a folder of weights, which every other rule reads.

Killed at any moment, the job goes on from its last checkpoint when it is started again
with the same inputs, settings and code. Asked to leave (SIGTERM, SIGUSR1) it writes one
first and ends with status 75. Fails where the images are not divided into training and
test, where the loss is not finite, and for an encoder that open_clip does not load.
"""

import hashlib
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from bakeoff.encoders.hardware import choose_device
from bakeoff.errors import BakeoffError
from bakeoff.finetune import train
from bakeoff.finetune.launch import launch
from bakeoff.finetune.ranks import is_first
from bakeoff.finetune.recipe import Recipe
from bakeoff.jobs import job
from bakeoff.prompts import read_bank
from bakeoff.tables import read_table, strings, write_table


def finetune(
    *,
    manifest: Path,
    prompts: Path,
    encoder: Path,
    output_encoder: Path,
    output_training: Path,
    settings: dict[str, Any],
    code: str,
    device: str,
    threads: int,
    tasks: int = 1,
    starter: str | None = None,
) -> None:
    """Write the weights folder and the training table of one fine-tuned encoder.

    tasks: processes that share the training; starter: see `launch`.
    """
    folder = output_encoder.parent
    state = folder.with_name(f"{folder.name}.state")
    own = _own(state, [manifest, prompts, encoder], json.dumps([settings, code]))
    given = {
        "manifest": str(manifest),
        "prompts": str(prompts),
        "encoder": str(encoder),
        "output_encoder": str(output_encoder),
        "output_training": str(output_training),
        "settings": settings,
        "state": str(own),
        "device": device,
        "threads": threads if starter else max(1, threads // tasks),
    }
    if tasks == 1:
        train_here(**given)
    else:
        note = own / "given.json"
        note.write_text(json.dumps(given))
        launch(Path(__file__), note, tasks=tasks, threads=threads, starter=starter)
    shutil.rmtree(state)


def train_here(
    *,
    manifest: str,
    prompts: str,
    encoder: str,
    output_encoder: str,
    output_training: str,
    settings: dict[str, Any],
    state: str,
    device: str,
    threads: int,
) -> None:
    """Train in this process, alone or as one of several; the first one writes."""
    images = read_table(manifest, "manifest")
    classes = sorted(set(strings(images, "label")))
    rows = train.finetune(
        images,
        Path(settings["images"]),
        _training_images(images),
        [(p.label, p.template, p.text) for p in read_bank(Path(prompts), classes)],
        Path(encoder).parent,
        Recipe.of(settings["recipe"]),
        Path(output_encoder).parent,
        Path(state),
        seed=settings["seed"],
        device=choose_device(device),
        threads=threads,
    )
    if is_first():
        write_table(output_training, "training", rows, settings)


def _training_images(manifest: pa.Table) -> np.ndarray:
    """Ids of all images that are not test images, as every fixed division has it."""
    tested = strings(manifest, "split") == "test"
    if not tested.any():
        raise BakeoffError(
            "fine-tuning",
            "images that are not divided",
            "images in train and test",
            "Arrange the images as train/<class>/ and test/<class>/, or give a column "
            "`split`: a fine-tuned encoder is scored on images that it has never seen.",
        )
    return strings(manifest, "image_id")[~tested]


def _own(state: Path, inputs: Sequence[Path], rest: str) -> Path:
    """The folder of checkpoints that belong to this very training; others are removed."""
    digest = hashlib.sha256(rest.encode())
    for path in inputs:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    own = state / digest.hexdigest()[:16]
    for other in state.glob("*"):
        if other != own:
            shutil.rmtree(other)
    own.mkdir(parents=True, exist_ok=True)
    return own


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        finetune(
            manifest=Path(snakemake.input.manifest),
            prompts=Path(snakemake.input.prompts),
            encoder=Path(snakemake.input.encoder),
            output_encoder=Path(snakemake.output.encoder),
            output_training=Path(snakemake.output.training),
            settings=json.loads(snakemake.params.settings),
            code=snakemake.params.code,
            device=snakemake.resources.device,
            threads=snakemake.threads,
            tasks=snakemake.resources.get("tasks", 1),
            starter=snakemake.resources.get("mpi"),
        )
elif __name__ == "__main__":  # started by `launch`, as one of several
    try:
        train_here(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    except BakeoffError as error:
        sys.exit(f"Error: {error}")
