"""One training as several processes, started by `srun` or by torchrun.

Each of them runs `python program given`; `ranks.joined` makes them find each other. What
asks this process to leave (SIGTERM, SIGUSR1) is passed on, so that they write a
checkpoint first, and this process waits for them.
"""

import contextlib
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

LEAVE = (signal.SIGTERM, signal.SIGUSR1)


def launch(
    program: Path, given: Path, *, tasks: int, threads: int, starter: str | None
) -> None:
    """Run `program given` in `tasks` processes until all have ended.

    starter: `srun`, perhaps with options, which starts them on the nodes of this SLURM
    job with `threads` cores each; or None, and torchrun divides this machine's `threads`
    among them. Their output goes where this process prints. Raises SystemExit where one
    of them fails or was asked to leave.
    """
    # srun ends its tasks on SIGTERM and hands on SIGUSR1; with torchrun it is the reverse.
    word = signal.SIGTERM if starter is None else signal.SIGUSR1
    command = [*start_of(tasks, threads, starter), str(program), str(given)]
    process = subprocess.Popen(command, stdout=sys.stdout, stderr=sys.stderr)
    with _passing_on(process, word):
        status = process.wait()
    if status:
        raise SystemExit(status)


def start_of(tasks: int, threads: int, starter: str | None) -> list[str]:
    """The command that starts the processes, up to the program."""
    if starter is not None:
        size = ["-n", str(tasks), "-c", str(threads), "--kill-on-bad-exit=1"]
        return [*shlex.split(starter), *size, sys.executable]
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    return [*run, f"--nproc-per-node={tasks}"]


@contextlib.contextmanager
def _passing_on(
    process: subprocess.Popen[bytes], word: signal.Signals
) -> Iterator[None]:
    def pass_on(number: int, frame: FrameType | None) -> None:
        process.send_signal(word)

    former = [signal.signal(number, pass_on) for number in LEAVE]
    try:
        yield
    finally:
        for number, handler in zip(LEAVE, former, strict=True):
            signal.signal(number, handler)
