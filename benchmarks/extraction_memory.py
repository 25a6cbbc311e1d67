"""Peak memory of an extraction does not grow with the number of images.

    python benchmarks/extraction_memory.py --images 20000 200000

So many small, distinct pictures are written, and embedded by the workflow's own script
with an encoder of a few thousand parameters, each number in a process of its own: peak
resident memory only ever grows. What must grow are the ids and paths of the images.
Prints megabytes at the peak, after the libraries and the encoder's first batch, and the
last peak over the first.
"""

import argparse
import hashlib
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

sys.path.insert(0, "workflow/scripts")

from bakeoff.images import sha256_of
from bakeoff.tables import write_table
from embed_images import embed_images

MODEL = {
    "embed_dim": 512,
    "vision_cfg": {"image_size": 16, "layers": 1, "width": 32, "patch_size": 8}
    | {"head_width": 16},
    "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 16}
    | {"heads": 2, "layers": 1},
}


def main() -> None:
    """Print one line per number of images, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        alone(write_encoder, place / "encoder")
        ids = write_images(place / "images", max(options.images))
        peaks = []
        for n in options.images:
            write_manifest(place / f"{n}/manifest.parquet", ids[:n])
            mb, seconds = alone(extract, place, n, options.threads)
            print(
                f"{n:8} images: {mb:7.0f} MB at the peak, {n / seconds:5.0f} a second"
            )
            peaks.append(mb)
    print(f"last over first: {peaks[-1] / peaks[0]:.3f}")


def write_encoder(folder: Path) -> None:
    """A weights folder of a very small open_clip model with random weights."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    folder.mkdir()
    config = {"model_cfg": MODEL, "preprocess_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    torch.manual_seed(0)
    model = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    note = {
        "id": "smallest",
        "loader": "openclip",
        "files": {path.name: sha256_of(path) for path in folder.iterdir()},
        "dimension": MODEL["embed_dim"],
        "resolution": 16,
    }
    (folder / "encoder.json").write_text(json.dumps(note))


def write_images(folder: Path, n: int) -> list[str]:
    """N pictures of 16 x 16 pixels of noise, a thousand per folder; their ids."""
    rng, ids = np.random.default_rng(0), []
    for i in range(n):
        data = b"P6 16 16 255\n" + rng.bytes(16 * 16 * 3)
        path = folder / path_of(i)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        ids.append(hashlib.sha256(data).hexdigest())
    return ids


def path_of(i: int) -> str:
    """Where the i-th picture lies."""
    return f"class_{i // 1000:03}/picture_{i:07}.ppm"


def write_manifest(path: Path, ids: list[str]) -> None:
    """The manifest of the first pictures."""
    n = len(ids)
    columns = {
        "image_id": ids,
        "path": [path_of(i) for i in range(n)],
        "label": [f"class_{i // 1000:03}" for i in range(n)],
        "value": pa.nulls(n, pa.float64()),
        "split": [""] * n,
        "group": pa.nulls(n, pa.string()),
        "width": [16] * n,
        "height": [16] * n,
    }
    write_table(path, "manifest", columns)


def extract(place: Path, n: int, threads: int) -> tuple[float, float]:
    """Megabytes at the peak and seconds of embedding the first n pictures."""
    start = time.perf_counter()
    embed_images(
        manifest=place / f"{n}/manifest.parquet",
        encoder=place / "encoder/encoder.json",
        encoder_id="smallest",
        output_embeddings=place / f"{n}/embeddings.parquet",
        store=place / f"{n}/store",
        settings={"images": place / "images", "resolution": None, "precision": "fp32"},
        device="cpu",
        shard_size=4096,
        threads=threads,
        progress=False,
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return peak, time.perf_counter() - start


def alone(function, *arguments):  # type: ignore[no-untyped-def]
    """The function's result, from a process that has done nothing else."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


if __name__ == "__main__":
    main()
