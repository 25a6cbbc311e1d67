"""Two and three processes give the loss and the gradients of one."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from bakeoff.finetune.ranks import Ranks
from bakeoff.finetune.stepping import Stepping, accumulate
from study import TRAINING, Study, weights
from toy_towers import CASES, Toy, ToyData

LIBRARY = Path(__file__).parents[2] / "workflow" / "scripts"


def start(rank: int, size: int, port: int, folder: Path) -> subprocess.Popen:
    environment = os.environ | {
        "RANK": str(rank),
        "WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(LIBRARY),
    }
    worker = Path(__file__).with_name("rank_worker.py")
    return subprocess.Popen([sys.executable, worker, folder], env=environment)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("size", [2, 3])
def test_processes_add_up(tmp_path, size: int) -> None:
    port = free_port()
    processes = [start(rank, size, port, tmp_path) for rank in range(size)]
    assert [process.wait(120) for process in processes] == [0] * size
    for rank in range(size):
        found = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        for case, result in zip(CASES, found, strict=True):
            assert_same_as_alone(*case, *result)
    if size == 2:
        assert_same_training(tmp_path)


def assert_same_training(folder: Path) -> None:
    """A whole training by two processes and by one: every step's loss, and the memory.

    Weights are not compared: Adam makes whole steps of the rounding errors in gradients
    that are zero by construction, such as those of the keys' biases.
    """
    study = Study(folder / "study-alone", per_class=4)
    study.train(folder / "alone", **TRAINING)
    one, other = (
        torch.load(place / "state" / "checkpoint.pt", weights_only=True)["state"]
        for place in (folder, folder / "alone")
    )
    losses = ([row["loss"] for row in state["log"]] for state in (one, other))
    assert next(losses) == pytest.approx(next(losses), rel=1e-4)
    for name in ("samples", "epochs", "prompts", "classes", "cursor", "filled"):
        assert torch.equal(one["memory"][name], other["memory"][name])
    queued = (state["memory"]["images"].float() for state in (one, other))
    assert torch.allclose(next(queued), next(queued), atol=2e-3)
    assert int(one["memory"]["filled"]) == 8
    assert weights(folder).keys() == weights(folder / "alone").keys()


def assert_same_as_alone(loss, n: int, value, gradients, images) -> None:
    model, data = Toy(), ToyData(n)
    how = Stepping(64, keep_images=True)
    alone = accumulate(model, data.step(loss, queued=min(5, n)), how, seed=3)
    assert value.item() == pytest.approx(alone.loss.item(), rel=1e-10)
    assert torch.allclose(images, alone.images, rtol=1e-12, atol=1e-12)
    for name, parameter in model.named_parameters():
        expected = parameter.grad
        if expected is None:
            expected = torch.zeros_like(parameter)
        assert torch.allclose(gradients[name], expected, rtol=1e-10, atol=1e-12), name


def test_shares_cover_everything_once() -> None:
    for n in (0, 1, 7, 64):
        shares = [Ranks(rank, 3).share(n) for rank in range(3)]
        assert [i for share in shares for i in range(share.start, share.stop)] == list(
            range(n)
        )
