"""Several processes of one training: how they are started, and how they leave."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from bakeoff.finetune.launch import launch, start_of

# Waits to be asked to leave, and leaves a note then.
PROGRAM = """
import os, signal, sys
from pathlib import Path

folder, rank = Path(sys.argv[1]), os.environ["RANK"]

def leave(number, frame):
    (folder / f"left-{rank}").touch()
    sys.exit(75)

signal.signal(signal.SIGTERM, leave)
(folder / f"ready-{rank}").touch()
signal.pause()
"""


def test_what_asks_to_leave_reaches_every_process(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)

    def ask() -> None:
        while len(list(tmp_path.glob("ready-*"))) < 2:
            waiting.wait(0.05)
        os.kill(os.getpid(), signal.SIGUSR1)

    waiting = threading.Event()
    threading.Thread(target=ask, daemon=True).start()
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        launch(program, tmp_path, tasks=2, threads=2, starter=None)
    assert ended.value.code
    assert sorted(path.name for path in tmp_path.glob("left-*")) == ["left-0", "left-1"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_srun_is_told_how_many_processes_of_how_many_cores() -> None:
    assert start_of(4, 8, "srun --mpi=none") == [
        *("srun", "--mpi=none", "-n", "4", "-c", "8", "--kill-on-bad-exit=1"),
        sys.executable,
    ]
