"""What a killed controller leaves behind, ended: its jobs here and in SLURM's queue.

    make recover                        with CONFIG=... where the run had one

Snakemake's own processes end with it when it is interrupted; when it is killed, or its
machine goes down, jobs go on without it. A second run would put another job beside each
of them. So they are ended first, then the folder is unlocked, and the next run goes on
from what is finished.
"""

import subprocess
import sys
import time
from pathlib import Path

import psutil
from bakeoff.errors import BakeoffError, listed

# As slurm-jobname-prefix in the profiles.
PREFIX = "bakeoff_"
_PATIENCE_S = 120


def recover(place: Path) -> list[str]:
    """End what a killed run in `place` left; what was ended, one line each.

    Raises BakeoffError where the run is alive, and where jobs do not end.
    """
    refuse_if_alive(place)
    return end_processes(place) + cancel_jobs(place)


def refuse_if_alive(place: Path) -> None:
    """Raise BakeoffError where a controller of this folder runs on this machine."""
    alive = [p for p in _processes(place) if _is_controller(p)]
    if alive:
        raise BakeoffError(
            str(place),
            f"a run that is alive (process {listed(p.pid for p in alive)})",
            "a run that was killed",
            "Wait for it, or interrupt it: it cancels its jobs and unlocks by itself.",
        )


def end_processes(place: Path) -> list[str]:
    """Kill the scripts of `place` that still compute on this machine."""
    scripts = str(place.resolve() / ".snakemake/scripts/")
    orphans = [p for p in _processes(place) if scripts in " ".join(_command(p))]
    for process in orphans:
        process.kill()
    psutil.wait_procs(orphans, timeout=_PATIENCE_S)
    return [f"killed process {process.pid}" for process in orphans]


def cancel_jobs(place: Path) -> list[str]:
    """Cancel the jobs of `place` in SLURM's queue and wait until they have left it.

    A folder from which nothing was ever submitted needs no SLURM.
    """
    if not (place / ".snakemake/slurm_logs").is_dir():
        return []
    cancelled = _queued(place)
    if cancelled:
        _call("scancel", *cancelled)
    deadline = time.monotonic() + _PATIENCE_S
    while left := _queued(place):
        if time.monotonic() > deadline:
            raise BakeoffError(
                str(place),
                f"jobs that are still in the queue: {listed(left)}",
                "none after scancel",
                "Ask the administrators of the cluster, then run `make recover` again.",
            )
        time.sleep(0.5)
    return [f"cancelled job {job}" for job in cancelled]


def _processes(place: Path) -> list[psutil.Process]:
    """This user's processes whose working directory is `place`."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(place.resolve()):
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess, FileNotFoundError):
            continue
    return found


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _is_controller(process: psutil.Process) -> bool:
    """Whether it is a `snakemake` that plans, not one that a job started."""
    words = _command(process)
    program = [Path(word).name for word in words[:3]]
    return "snakemake" in program and "--mode" not in words


def _queued(place: Path) -> list[str]:
    """Ids of this user's jobs that were submitted from `place`."""
    lines = _call("squeue", "--me", "--noheader", "--format=%i|%j|%Z").splitlines()
    jobs = [line.split("|", 2) for line in lines]
    return [
        number
        for number, name, folder in jobs
        if name.startswith(PREFIX) and Path(folder).resolve() == place.resolve()
    ]


def _call(*command: str) -> str:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise BakeoffError(
            command[0],
            str(getattr(error, "stderr", "") or error).strip(),
            "an answer from SLURM",
            "Run `make recover` where squeue and scancel work, such as the login node.",
        ) from error


if __name__ == "__main__":
    try:
        for line in recover(Path.cwd()):
            print(line)
    except BakeoffError as error:
        sys.exit(f"recover: {error}")
