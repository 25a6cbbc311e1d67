"""What an encoder costs, measured on this machine: one row of the `costs` table.

All encoders of a comparison must be measured by one job on one quiet machine: rates of
different machines, or of a busy one, do not compare.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from bakeoff.encoders import Encoder, load_encoder, open_folder
from bakeoff.extract import encode_files


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
    `rounds` (other processes can only slow it down). latency_ms: one preprocessed image
    to its vector, median of 10 x `rounds`. gflops: of one image through the image
    tower, two per multiply-add. peak_memory_mb: of the process so far (CPU) or of the
    tensors since loading (GPU). bytes: of the weights folder's files.
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
        "latency_ms": [1000 * statistics.median(single)],
        "peak_memory_mb": [_peak_memory_mb(device)],
        "dimension": [encoder.dimension],
        "bytes": [sum((weights.path / n).stat().st_size for n in weights.files)],
        "device": [_device_name(device, threads)],
        "precision": [precision],
    }


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
