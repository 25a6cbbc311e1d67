"""Which device and which arithmetic: asked of the machine, not of a list of models."""

import time
from collections.abc import Callable

import torch

# A model this small gains nothing from bf16 on any machine, and gives the same vectors
# on all of them in fp32.
SMALL = 20_000_000
_GAIN = 1.3


def choose_device(wanted: str) -> str:
    """`cuda` or `cpu`; `auto` takes a GPU where torch can use one."""
    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"


def probe_precision(device: str, parameters: int) -> str:
    """`bf16` where this machine computes it well and the model is large, else `fp32`.

    GPUs are asked; CPUs are timed on one matrix product, the least of five interleaved
    rounds each, and must win by 1.3 (hardware with bf16 wins by 2, without it loses).
    """
    if parameters < SMALL:
        return "fp32"
    if device.startswith("cuda"):
        supported = torch.cuda.is_bf16_supported(including_emulation=False)
        return "bf16" if supported else "fp32"
    gain = _best_of(torch.float32, torch.bfloat16)
    return "bf16" if gain > _GAIN else "fp32"


def _best_of(slow: torch.dtype, fast: torch.dtype, size: int = 768) -> float:
    """Least time of a square product in `slow` over that in `fast`."""
    a = torch.ones(size, size)
    times: dict[torch.dtype, list[float]] = {slow: [], fast: []}
    for dtype in (slow, fast):
        _seconds(lambda x: x @ x, a.to(dtype))
    for _ in range(5):
        for dtype, seconds in times.items():
            seconds.append(_seconds(lambda x: x @ x, a.to(dtype)))
    return min(times[slow]) / min(times[fast])


def _seconds(
    compute: Callable[[torch.Tensor], torch.Tensor], argument: torch.Tensor
) -> float:
    start = time.perf_counter()
    compute(argument)
    return time.perf_counter() - start
