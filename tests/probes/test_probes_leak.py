"""Pure-noise labels: 200 simulations of what chooses most; the rest is a benchmark."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "probes_leak.py"
SIMULATIONS = 200
# 4 means over 200 data sets: a bound that one honest procedure in 16,000 exceeds.
Z = 4.0


@pytest.fixture(scope="module")
def leak():
    spec = importlib.util.spec_from_file_location("probes_leak", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("protocol", ["kfold", "group kfold", "split", "holdout"])
def test_nested_penalty_and_prompt_lab_are_at_chance(leak, protocol):
    data = [leak.simulate(seed, protocol) for seed in range(SIMULATIONS)]
    ridge = leak.PROBES["ridge, nested alpha"]
    for accuracies in (
        [leak.probe_accuracy(d, ridge) for d in data],
        [leak.lab_accuracy(d) for d in data],
    ):
        mean, low, high = leak.interval(accuracies, Z)
        assert low <= 1 / leak.CLASSES <= high, mean


def test_a_leak_would_be_seen(leak):
    data = [leak.simulate(seed, "kfold") for seed in range(SIMULATIONS)]
    _, low, _ = leak.interval([leak.leaking_accuracy(d) for d in data], Z)
    assert low > 1 / leak.CLASSES
