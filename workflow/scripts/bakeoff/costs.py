"""What an encoder costs, measured on this machine: one row of the `costs` table.

All encoders of a comparison must be measured by one job on one quiet machine: rates of
different machines, or of a busy one, do not compare.
"""

import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from bakeoff.encode import encode_files
from bakeoff.encoders import (
    Encoder,
    WeightsFolder,
    load_encoder,
    loader_of,
    open_folder,
)
from bakeoff.encoders.hardware import choose_device
from bakeoff.kept import settled_precision


@dataclass(frozen=True)
class Measured:
    """What is measured: a folder of weights, and a resolution or the model's own."""

    folder: Path
    resolution: int | None = None


def measure_all(
    encoders: Mapping[str, Measured],
    images: Sequence[Path],
    *,
    store: Path,
    device: str = "auto",
    precision: str = "auto",
    threads: int = 1,
    rounds: int = 3,
) -> dict[str, list[Any]]:
    """The rows of `costs` of all encoders, in their order, as columns.

    Encoders with the same folder and resolution are measured once. Each is measured in
    a process of its own, one after the other, since a process never gives back its peak
    of memory. `auto` is settled as it is for embeddings, and recorded in `store`.
    """
    # Loaded once, before the processes part: libraries take longer than tiny encoders.
    different = list(dict.fromkeys(encoders.values()))
    for measured in different:
        loader_of(open_folder(measured.folder))
    # ASSUME nothing was computed before: a forked process has libraries, no threads.
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        found = {
            measured: pool.apply(
                _measure, (measured, images, store, device, precision, threads, rounds)
            )
            for measured in different
        }
    rows = [found[measured] for measured in encoders.values()]
    columns = {column: [row[column][0] for row in rows] for column in rows[0]}
    return {**columns, "encoder": list(encoders)}


def _measure(
    measured: Measured,
    images: Sequence[Path],
    store: Path,
    device: str,
    precision: str,
    threads: int,
    rounds: int,
) -> dict[str, list[Any]]:
    weights = open_folder(measured.folder)
    return measure_costs(
        measured.folder,
        images,
        encoder_id=weights.id,
        resolution=measured.resolution,
        device=choose_device(device),
        precision=settled_precision(precision, weights, store, device),
        threads=threads,
        rounds=rounds,
    )


def measure_costs(
    encoder_folder: Path,
    images: Sequence[Path],
    *,
    encoder_id: str,
    resolution: int | None = None,
    device: str = "cpu",
    precision: str = "fp32",
    batch_size: int = 32,
    threads: int = 1,
    rounds: int = 5,
) -> dict[str, list[Any]]:
    """One row of `costs`, as columns; images: files to measure with, at least one.

    images_per_s: files to vectors, decoding overlapped with the encoder, the best of
    `rounds` (other processes can only slow it down). spread: the slowest of these
    rounds over the fastest, minus 1, which is large where the machine was busy.
    latency_ms: one preprocessed image to its vector, median of 10 x `rounds`. gflops:
    of one image through the image tower, two per multiply-add. peak_memory_mb: of the
    process so far (CPU) or of the tensors since loading (GPU). bytes: of the weights
    folder's files, or of those that it is made of.
    """
    torch.set_num_threads(max(1, threads))
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
    weights = open_folder(encoder_folder)
    encoder = load_encoder(
        encoder_folder, resolution=resolution, device=device, precision=precision
    )
    one = encoder.collate([encoder.preprocess(_first(images))])
    gflops = _gflops(encoder, one)
    whole = partial(
        encode_files, encoder, images, batch_size=batch_size, threads=threads
    )
    seconds = _timed(lambda: whole(), rounds)
    single = _timed(lambda: encoder.encode_images(one).cpu(), 10 * rounds)
    return {
        "encoder": [encoder_id],
        "parameters": [encoder.parameters],
        "parameters_image": [encoder.parameters_image],
        "gflops": [gflops],
        "images_per_s": [len(images) / min(seconds)],
        "spread": [max(seconds) / min(seconds) - 1],
        "latency_ms": [1000 * statistics.median(single)],
        "peak_memory_mb": [_peak_memory_mb(device)],
        "dimension": [encoder.dimension],
        "bytes": [_size_of(weights)],
        "device": [_device_name(device, threads)],
        "precision": [precision],
    }


def _size_of(weights: WeightsFolder) -> int:
    folders = weights.with_weights
    return sum((f.path / name).stat().st_size for f in folders for name in f.files)


def _first(images: Sequence[Path]) -> Any:
    from bakeoff.images import read_image

    return read_image(images[0])


def _gflops(encoder: Encoder, one: torch.Tensor) -> float:
    # The fused attention of evaluation mode is one operator that nobody counts.
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with FlopCounterMode(display=False) as counter:
            encoder.encode_images(one)
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
    return counter.get_total_flops() / 1e9


def _timed(compute: Callable[[], object], rounds: int) -> list[float]:
    """Seconds of each of `rounds` calls, after one that is not counted."""
    compute()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        compute()
        seconds.append(time.perf_counter() - start)
    return seconds


def _peak_memory_mb(device: str) -> float:
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated() / 2**20
    import resource

    # Kilobytes on Linux, bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _device_name(device: str, threads: int) -> str:
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return f"{_processor()}, {threads} threads"


def _processor() -> str:
    """The processor's name where Linux tells it, else the architecture."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return os.uname().machine
