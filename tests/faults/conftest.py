"""Small studies to be hurt, and disks that refuse."""

import errno
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from support.workflow import Workflow, lay_out, least_config

Disk = Callable[[Path], AbstractContextManager[Path]]


@pytest.fixture(scope="session")
def make_workflow(tmp_path_factory: pytest.TempPathFactory, repository: Path):
    """A function that lays out a fresh working directory of five jobs."""

    def make(config: dict | None = None) -> Workflow:
        place = tmp_path_factory.mktemp("faults")
        return lay_out(place, repository, config or least_config())

    return make


@contextmanager
def mounted(place: Path, option: str) -> Iterator[bool]:
    """Whether this user may mount a tmpfs at `place`, where it then is."""
    place.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", option, "none", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True).returncode == 0
    except FileNotFoundError:
        done = False
    try:
        yield done
    finally:
        if done:
            subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def full_disk(monkeypatch) -> Disk:
    """A folder with 64 KiB of space.

    Where this user may not mount, as in most containers, whatever is written there goes
    to /dev/full, where the kernel's answer is that of a full disk too.
    """

    def linked(prefix: str, suffix: str, dir: Path) -> tuple[int, str]:
        link = Path(dir) / f"{prefix}full{suffix}"
        link.symlink_to("/dev/full")
        return os.open(link, os.O_RDWR), str(link)

    @contextmanager
    def disk(place: Path) -> Iterator[Path]:
        with mounted(place, "size=64k") as done:
            if not done:
                monkeypatch.setattr(tempfile, "mkstemp", linked)
            yield place

    return disk


@pytest.fixture
def read_only_disk() -> Disk:
    """A folder of a file system that is read-only: mounted so, or one that is so already.

    Containers in which nothing can be mounted have some of these.
    """

    @contextmanager
    def disk(place: Path) -> Iterator[Path]:
        with mounted(place, "ro") as done:
            found = (
                place if done else next(filter(_is_read_only, _mount_points()), None)
            )
            if found is None and os.environ.get("BAKEOFF_NO_SKIP"):
                pytest.fail("no file system is read-only, and this user may not mount")
            if found is None:
                pytest.skip("no file system is read-only, and this user may not mount")
            yield found

    return disk


def _mount_points() -> Iterator[Path]:
    table = Path("/proc/mounts")
    lines = table.read_text().splitlines() if table.exists() else []
    return (Path(line.split()[1]) for line in lines)


def _is_read_only(place: Path) -> bool:
    try:
        handle, name = tempfile.mkstemp(dir=place)
    except OSError as error:
        return error.errno == errno.EROFS
    os.close(handle)
    Path(name).unlink()
    return False
