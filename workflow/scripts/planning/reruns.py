"""Lets records, not the workflow engine's own notes, decide which jobs run again.

Snakemake asks its persistence layer whether a job's parameters have changed since its
outputs were made. For the jobs of this workflow the answer comes from the records that
the jobs left beside their outputs, so it needs no `.snakemake`. Snakemake also compares
time stamps, whatever its triggers; such jobs have none to compare.
"""

import atexit
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from snakemake.io import is_flagged
from snakemake.jobs import Job
from snakemake.persistence import PersistenceBase

from planning.contents import Contents
from planning.current import Current

_ASKED = ("has_metadata", "has_outdated_metadata", "params_changed")
_OWN = {name: getattr(PersistenceBase, name) for name in _ASKED}
_OUTPUT_MINTIME = Job.output_mintime


class Reasons:
    """The answer that Snakemake prints after "Params have changed"."""

    def __init__(self, outputs: list[str], reasons: list[str]) -> None:
        self._outputs = outputs
        self._reasons = reasons

    def __bool__(self) -> bool:
        return bool(self._reasons)

    def __iter__(self) -> Iterator[str]:
        return iter(self._outputs if self._reasons else ())

    def __str__(self) -> str:
        return "; ".join(self._reasons)


def let_records_decide(workflow: Any, root: Path, cache: Path) -> None:
    """Answer from records for every job whose rule states its code and libraries.

    root: the folder of the code; cache: a file of hashes that may be deleted. Jobs of
    other workflows that use this one as a module are left to Snakemake.
    """
    if Path(workflow.main_snakefile).parent.resolve() == root.resolve():
        # It advises to compare time stamps or to delete notes, which would do nothing.
        workflow.log_provenance_info = lambda: None
    contents = Contents(cache)
    atexit.register(contents.save)

    def has_metadata(self: Any, job: Any) -> bool:
        return _is_recorded(job) or _OWN["has_metadata"](self, job)

    def has_outdated_metadata(self: Any, job: Any) -> bool:
        return not _is_recorded(job) and _OWN["has_outdated_metadata"](self, job)

    def params_changed(self: Any, job: Any, file: Any = None) -> Any:
        if not _is_recorded(job):
            return _OWN["params_changed"](self, job, file)
        # With conda or a container, jobs have other libraries than this process.
        software = workflow.deployment_settings.deployment_method
        current = Current(root, contents.hash, own_libraries=not software)
        return Reasons(job.output, _reasons(current, job))

    async def output_mintime(self: Any) -> float | None:
        return None if _is_recorded(self) else await _OUTPUT_MINTIME.fget(self)

    Job.output_mintime = property(output_mintime)
    for method in (has_metadata, has_outdated_metadata, params_changed):
        setattr(PersistenceBase, method.__name__, method)


def _is_recorded(job: Any) -> bool:
    return {"code", "libraries"} <= set(job.params.keys())


def _reasons(current: Current, job: Any) -> list[str]:
    return current.reasons(
        list(map(str, job.output)),
        list(map(str, job.input)),
        dict(job.params.items()),
        [str(file) for file in job.input if is_flagged(file, "ancient")],
    )
