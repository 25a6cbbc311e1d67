"""Which copy of the library the jobs of a run import."""

import os
from pathlib import Path

import bakeoff
from bakeoff.jobs import refuse_other_library


def use_library(scripts: Path) -> None:
    """Make every job that this process starts import the library in `scripts`.

    Snakemake puts a script's folder last on the path of imports, behind whatever copy is
    installed in the environment. Raises BakeoffError where this process itself has
    imported another copy.
    """
    home = scripts.resolve()
    refuse_other_library(Path(bakeoff.__file__).resolve().parent, home)
    others = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    first = [str(home), *(path for path in others if path not in ("", str(home)))]
    os.environ["PYTHONPATH"] = os.pathsep.join(first)
