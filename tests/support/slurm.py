"""A real SLURM of one node: munged, slurmctld and slurmd, two pretended GPUs.

Started in the foreground under a folder of its own and stopped afterwards; nothing of
the system's own SLURM configuration is touched. Needs root, as slurmd does. It claims
more CPUs and memory than the machine may have, so that jobs can ask for what their rules
say; nothing holds them to it.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.workflow import Workflow

ON_SLURM = ("--workflow-profile", "profiles/ci-slurm")

_CONF = """\
ClusterName=bakeoff
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld_port}
SlurmdPort={slurmd_port}
AuthType=auth/munge
AuthInfo=socket={place}/munge.socket
CryptoType=crypto/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd.pid
SlurmctldLogFile={place}/slurmctld.log
SlurmdLogFile={place}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=2
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
ReturnToService=2
MinJobAge=600
KillWait=15
InactiveLimit=0
MpiDefault=none
GresTypes=gpu
JobRequeue=1
SlurmdParameters=config_overrides
TaskProlog={place}/prolog.sh
NodeName={host} NodeAddr=127.0.0.1 CPUs=16 RealMemory=64000 Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""

# Before each task: note what it sees of the GPUs, and put an srun first that finds this
# cluster. Snakemake drops SLURM_CONF, as other clusters have it where srun looks by itself.
_PROLOG = """\
#!/bin/sh
echo "$SLURM_JOB_ID ${{CUDA_VISIBLE_DEVICES-}}" >> {place}/tasks.txt
echo "export PATH={place}/bin:$PATH"
"""
_SRUN = """\
#!/bin/sh
SLURM_CONF={place}/slurm.conf exec {srun} "$@"
"""


@dataclass(frozen=True)
class Slurm:
    """A running cluster; `environment` makes its commands find it."""

    place: Path
    environment: dict[str, str]

    def ask(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=60
        )

    def call(self, *command: str) -> str:
        done = self.ask(*command)
        assert done.returncode == 0, (
            f"{command}: {done.stdout}{done.stderr}{self.logs()}"
        )
        return done.stdout

    def queue(self) -> list[str]:
        """Names of the jobs that wait or run."""
        return self.call("squeue", "--noheader", "--format=%j").split()

    def jobs(self) -> list[dict[str, str]]:
        """What SLURM says of every job that it remembers, oldest first."""
        lines = self.call("scontrol", "--oneliner", "show", "jobs").splitlines()
        jobs = [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in lines]
        return sorted((j for j in jobs if "JobId" in j), key=lambda j: int(j["JobId"]))

    def seen_gpus(self) -> dict[str, str]:
        """By job id, what CUDA_VISIBLE_DEVICES was when its last command started."""
        return dict(self._tasks())

    def tasks(self, job: str) -> list[str]:
        """What each command that a job started saw of the GPUs, the first one first."""
        return [seen for number, seen in self._tasks() if number == job]

    def has_processes(self, job: str) -> bool:
        """Whether anything of the job is left on the node, whatever its state says."""
        return self.ask("scontrol", "listpids", job).returncode == 0

    def _tasks(self) -> list[tuple[str, str]]:
        noted = self.place / "tasks.txt"
        lines = noted.read_text().splitlines() if noted.exists() else []
        return [(line.split(" ")[0], line.split(" ", 1)[1]) for line in lines]

    def wait_until(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain{self.logs()}"
            time.sleep(0.1)

    def logs(self) -> str:
        """The ends of the daemons' logs, for messages."""
        found = ""
        for path in sorted(self.place.glob("*.log")):
            found += f"\n--- {path.name}\n{path.read_text(errors='replace')[-1500:]}"
        return found


def on_cluster(workflow: Workflow, slurm: Slurm) -> Workflow:
    """The working directory, its jobs going to SLURM if run with ON_SLURM."""
    workflow.environment, workflow.cores = slurm.environment, None
    return workflow


def submitted_from(workflow: Workflow, slurm: Slurm, state: str) -> list[str]:
    """Ids of the workflow's jobs in the queue, perhaps only those in one state."""
    lines = slurm.call("squeue", "--noheader", "--format=%i|%T|%Z").splitlines()
    jobs = [line.split("|", 2) for line in lines]
    return [
        number
        for number, now, folder in jobs
        if folder == str(workflow.place) and state in now
    ]


@contextmanager
def one_node(place: Path) -> Iterator[Slurm]:
    """A cluster below `place`, stopped at the end whatever happens."""
    place.chmod(0o755)
    for folder in ("state", "spool"):
        (place / folder).mkdir()
    environment = {**os.environ, "SLURM_CONF": str(place / "slurm.conf")}
    _configure(place)
    daemons = [_start_munge(place)]
    slurm = Slurm(place, environment)
    try:
        for daemon in ("slurmctld", "slurmd"):
            log = (place / f"{daemon}.out.log").open("w")
            daemons.append(
                subprocess.Popen(
                    [daemon, "-D"], env=environment, stdout=log, stderr=log
                )
            )
        slurm.wait_until(lambda: _is_idle(slurm))
        yield slurm
    finally:
        subprocess.run(
            ["scancel", "--full", "-u", "root"], env=environment, check=False
        )
        for daemon in reversed(daemons):
            daemon.send_signal(signal.SIGTERM)
        for daemon in daemons:
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()


def _is_idle(slurm: Slurm) -> bool:
    done = subprocess.run(
        ["sinfo", "--noheader", "--format=%t"],
        env=slurm.environment,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() == "idle"


def _configure(place: Path) -> None:
    host = socket.gethostname().split(".")[0]
    (place / "slurm.conf").write_text(
        _CONF.format(
            host=host,
            place=place,
            ctld_port=_free_port(),
            slurmd_port=_free_port(),
        )
    )
    # Pretended GPUs: any two character devices do, nobody opens them.
    (place / "gres.conf").write_text("Name=gpu File=/dev/tty[0-1]\n")
    (place / "bin").mkdir()
    _write_script(place / "prolog.sh", _PROLOG.format(place=place))
    srun = _SRUN.format(place=place, srun=shutil.which("srun"))
    _write_script(place / "bin/srun", srun)
    (place / "cgroup.conf").write_text("CgroupAutomount=no\n")


def _write_script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _start_munge(place: Path) -> subprocess.Popen:
    key = place / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    socket_path = place / "munge.socket"
    daemon = subprocess.Popen(
        [
            "munged",
            "--foreground",
            "--force",
            f"--key-file={key}",
            f"--socket={socket_path}",
            f"--pid-file={place}/munged.pid",
            f"--log-file={place}/munged.log",
            f"--seed-file={place}/munged.seed",
        ],
        stdout=subprocess.DEVNULL,
        stderr=(place / "munged.out.log").open("w"),
    )
    deadline = time.monotonic() + 20
    while not socket_path.exists():
        assert daemon.poll() is None, (place / "munged.out.log").read_text()
        assert time.monotonic() < deadline, "munged did not start"
        time.sleep(0.05)
    return daemon
