"""The conda environment of the rules, with the versions that requirements.lock pins.

    python -m planning.conda > envs/bakeoff.yaml

Conda users get the same direct dependencies as everybody else; a test asserts that the
file agrees with the lock.
"""

import re
import tomllib
from pathlib import Path


def conda_environment(root: Path) -> str:
    """The text of envs/bakeoff.yaml for the lock below `root`."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    pins = locked_versions((root / "requirements.lock").read_text(encoding="utf-8"))
    names = [re.split(r"[<>=~ ]", d)[0] for d in project["project"]["dependencies"]]
    lines = [
        "# Made by `make lock` from pyproject.toml and requirements.lock.",
        "channels: [conda-forge, nodefaults]",
        "dependencies:",
        "  - python=3.11",
        "  - pip",
        "  - pip:",
        *(f"      - {name}=={pins[name]}" for name in sorted(names)),
    ]
    return "\n".join(lines) + "\n"


def locked_versions(lock: str) -> dict[str, str]:
    """{package: version} of a lock, as it holds for Python 3.11 on Linux."""
    found = re.findall(r"^([a-z0-9-]+)==([^ ;]+)(?: ; (.*?))? *\\$", lock, re.MULTILINE)
    return {
        name: version for name, version, marker in found if ">= '3.12'" not in marker
    }


if __name__ == "__main__":
    print(conda_environment(Path(__file__).parents[3]), end="")
