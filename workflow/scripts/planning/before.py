"""What stops a run before Snakemake starts, said in one line.

    python -m planning.before COMMAND [CONFIG ...]      as the Makefile does

Snakemake answers a missing, damaged or hostile configuration file with a traceback, keeps
the last of two equal keys, and answers a lock that a killed run left with advice that
leaves the killed run's jobs alive.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from bakeoff.documents import read_json, read_yaml
from bakeoff.errors import BakeoffError

# Commands that write, and that a lock stops.
_LOCKING = ("demo", "full", "run", "spread", "index")
_EXPECTED = "a configuration: YAML or JSON with keys at its top level"


def check(command: str, files: Sequence[Path], place: Path) -> None:
    """Raise BakeoffError where `make COMMAND` with these files in `place` cannot start."""
    if command == "run" and not files:
        raise BakeoffError(
            "make run",
            "no CONFIG",
            "the configuration of your study",
            "Run `make run CONFIG=my-study.yaml`; `bakeoff init FOLDER` writes one, and "
            "`make demo` needs none.",
        )
    check_files(files)
    if command in _LOCKING:
        refuse_left_lock(place, files)


def check_files(files: Iterable[str | Path]) -> None:
    """Raise BakeoffError for the first file that is no configuration."""
    for file in map(Path, files):
        read = read_json if file.suffix == ".json" else read_yaml
        content = read(file, _EXPECTED)
        if not isinstance(content, dict) or not content:
            kind = "an empty file" if not content else f"a {type(content).__name__}"
            raise BakeoffError(
                str(file), kind, _EXPECTED, "config/README.md describes every key."
            )


def refuse_left_lock(place: Path, files: Sequence[Path]) -> None:
    """Raise BakeoffError where `place` is locked and no run of it is alive here."""
    if not any((place / ".snakemake/locks").glob("*")):
        return
    from planning.recover import refuse_if_alive

    try:
        refuse_if_alive(place)
    except BakeoffError:
        return  # Snakemake knows whether two runs that are alive are in each other's way.
    named = f" CONFIG={' '.join(map(str, files))}" if files else ""
    raise BakeoffError(
        str(place),
        "a lock of a run that was killed, or that is alive on another machine",
        "a folder in which no other run is at work",
        f"If none is alive elsewhere, `make recover{named}` ends what it left and "
        "unlocks; then run again.",
    )


def main(arguments: Sequence[str]) -> int:
    """0 if the command may start, else 1 after one message."""
    command, *files = arguments
    try:
        check(command, [Path(file) for file in files], Path.cwd())
    except BakeoffError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
