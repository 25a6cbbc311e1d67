"""Which device and which arithmetic: asked of the machine, not of a list of models."""

import torch

# A model this small gains nothing from bf16 on any machine, and gives the same vectors
# on all of them in fp32.
SMALL = 20_000_000
# Instructions that multiply bf16 matrices; without them bf16 is many times slower.
_CPU_BF16 = ("amx_bf16", "avx512_bf16", "bf16")


def choose_device(wanted: str) -> str:
    """`cuda` or `cpu`; `auto` takes a GPU where torch can use one."""
    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"


def probe_precision(device: str, parameters: int) -> str:
    """`bf16` where this machine computes it in hardware and the model is large.

    Otherwise `fp32`. Asked, not timed: a timing on a busy machine would answer by
    chance, and the answer is part of what an embedding is.
    """
    if parameters < SMALL:
        return "fp32"
    if device.startswith("cuda"):
        supported = torch.cuda.is_bf16_supported(including_emulation=False)
    elif device == "cpu":
        able = torch.cpu.get_capabilities()
        supported = any(able.get(name) for name in _CPU_BF16)
    else:
        supported = False
    return "bf16" if supported else "fp32"
