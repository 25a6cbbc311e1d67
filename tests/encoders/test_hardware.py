"""The choice of device and precision follows what the machine says of itself."""

import pytest
import torch
from bakeoff.encoders.hardware import SMALL, choose_device, probe_precision


@pytest.mark.parametrize(
    ("able", "parameters", "precision"),
    [
        ({"avx512_bf16": True}, SMALL, "bf16"),
        ({"amx_bf16": True, "avx512_bf16": False}, SMALL, "bf16"),
        ({"avx2": True, "avx512_bf16": False}, SMALL, "fp32"),
        ({"avx512_bf16": True}, SMALL - 1, "fp32"),
    ],
)
def test_precision_of_a_cpu(monkeypatch, able, parameters, precision):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    assert probe_precision("cpu", parameters) == precision


def test_precision_of_a_gpu(monkeypatch):
    for supported, precision in ((True, "bf16"), (False, "fp32")):
        monkeypatch.setattr(
            torch.cuda, "is_bf16_supported", lambda supported=supported, **_: supported
        )
        assert probe_precision("cuda:0", SMALL) == precision
    assert probe_precision("mps", SMALL) == "fp32"


def test_device(monkeypatch):
    for available, device in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(
            torch.cuda, "is_available", lambda available=available: available
        )
        assert choose_device("auto") == device
        assert choose_device("cpu") == "cpu"
