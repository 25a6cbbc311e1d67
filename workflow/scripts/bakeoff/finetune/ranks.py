"""The processes that share one training: sums over them, and nothing else.

Each process runs its share of every batch. The gradient of the whole batch is the sum
of the shares' gradients; InfoNCE needs one more number per text (`logsumexp`). Image
vectors travel only to fill the memory (`gather`). With one process all of this is the
identity.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class Ranks:
    """This process's number and how many there are."""

    rank: int = 0
    size: int = 1

    def share(self, n: int) -> slice:
        """This process's contiguous part of n items; parts differ by one at most."""
        return slice(n * self.rank // self.size, n * (self.rank + 1) // self.size)

    def sum(self, value: Tensor) -> Tensor:
        """Sum of `value` over all processes."""
        if self.size == 1:
            return value
        value = value.clone()
        dist.all_reduce(value)
        return value

    def sum_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace every gradient by its sum over all processes.

        One flat message. A parameter without a gradient here counts as zero, so that
        all processes send messages of one length.
        """
        if self.size == 1:
            return
        parameters = list(parameters)
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, total in zip(gradients, flat.split(sizes), strict=True):
            gradient.copy_(total.view_as(gradient))

    def logsumexp(self, value: Tensor) -> Tensor:
        """Log of the sum of exp(value) over all processes, elementwise."""
        if self.size == 1:
            return value
        greatest = value.clone()
        dist.all_reduce(greatest, dist.ReduceOp.MAX)
        # A text that no process has met yet is minus infinity everywhere.
        greatest = greatest.clamp_min(torch.finfo(value.dtype).min)
        return self.sum(torch.exp(value - greatest)).log() + greatest

    def any(self, flag: bool, device: torch.device | str) -> bool:
        """Whether the flag is set in any process."""
        return bool(self.sum(torch.tensor(int(flag), device=device)) > 0)

    def mean(self, value: float, device: torch.device | str) -> float:
        """Mean of a number over all processes."""
        if self.size == 1:
            return value
        total = self.sum(torch.tensor(value, dtype=torch.float64, device=device))
        return float(total) / self.size

    def gather(self, rows: Tensor, total: int) -> Tensor:
        """All `total` rows, in order, of which each process holds its `share`."""
        if self.size == 1:
            return rows
        longest = -(-total // self.size)
        padded = rows.new_zeros(longest, *rows.shape[1:])
        padded[: len(rows)] = rows
        parts = [torch.empty_like(padded) for _ in range(self.size)]
        dist.all_gather(parts, padded)
        shares = (Ranks(rank, self.size).share(total) for rank in range(self.size))
        pairs = zip(parts, shares, strict=True)
        return torch.cat([part[: share.stop - share.start] for part, share in pairs])

    def wait(self) -> None:
        """Go on when every process has come here."""
        if self.size > 1:
            dist.barrier()


@contextlib.contextmanager
def joined(device: str) -> Iterator[Ranks]:
    """The processes that torchrun, or one SLURM task per device, has started.

    A process group that the caller has set up is used as it is; alone, none is made.
    """
    if dist.is_initialized():
        yield Ranks(dist.get_rank(), dist.get_world_size())
        return
    _read_slurm()
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Ranks()
        return
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


def is_first() -> bool:
    """Whether this is the process that writes, before, while and after they are joined."""
    _read_slurm()
    return os.environ.get("RANK", "0") == "0"


def _read_slurm() -> None:
    """Fill in torchrun's variables from those of `srun`, where there are several tasks.

    On several nodes they meet at the one that `srun` was started on: the first of the
    job, where its script runs. Set `MASTER_ADDR` where it is started elsewhere.
    """
    if "WORLD_SIZE" in os.environ or int(os.environ.get("SLURM_STEP_NUM_TASKS", 1)) < 2:
        return
    os.environ["WORLD_SIZE"] = os.environ["SLURM_STEP_NUM_TASKS"]
    os.environ["RANK"] = os.environ["SLURM_PROCID"]
    os.environ["LOCAL_RANK"] = os.environ["SLURM_LOCALID"]
    job = int(os.environ.get("SLURM_JOB_ID", "0"))
    os.environ.setdefault("MASTER_PORT", str(20_000 + job % 20_000))
    several = int(os.environ.get("SLURM_STEP_NUM_NODES", "1")) > 1
    first = os.environ["SLURM_LAUNCH_NODE_IPADDR"] if several else "127.0.0.1"
    os.environ.setdefault("MASTER_ADDR", first)
