"""What a run would do now, and why.

    make status                         with CONFIG=... where the run had one

Snakemake's dry run gives a reason for every job. Here jobs with the same first cause
stand together: the settings, the code, the libraries or the inputs that differ from what
their outputs were made from, or what is not there yet. Jobs that only follow from others
are counted in one line.
"""

import re
import subprocess
import sys
from collections import Counter

FOLLOWS = "made from what the others make"

_REASON = re.compile(r"^ *reason: (.*)$", re.MULTILINE | re.IGNORECASE)
_RECORDED = "Params have changed since last execution: "


def status(dry_run: str) -> str:
    """The causes of all jobs in what `snakemake --dry-run` printed, most jobs first."""
    reasons = _REASON.findall(dry_run)
    if not reasons:
        return "Nothing to do: everything is as configuration, code and images say."
    counts = Counter(cause(reason) for reason in reasons)
    follow = counts.pop(FOLLOWS, 0)
    lines = [f"{len(reasons)} jobs to do:"]
    lines += [f"{count:6}  {text}" for text, count in counts.most_common()]
    lines += [f"{follow:6}  {FOLLOWS}"] * bool(follow)
    return "\n".join(lines)


def cause(reason: str) -> str:
    """Why a job runs: what differs for itself, before what only follows from others."""
    if "incomplete" in reason.lower():
        return "interrupted the last time"
    if "Missing output files" in reason:
        return "not made yet"
    if _RECORDED in reason:
        recorded = reason.partition(_RECORDED)[2]
        # An input that another job makes again is no cause of its own.
        own = [part for part in recorded.split("; ") if not part.startswith("inputs: ")]
        if own or "updated by another job" not in reason:
            return "; ".join(own or [recorded])
    return FOLLOWS if "updated by another job" in reason else reason.strip()


def main() -> int:
    """Print the status of this folder; Snakemake's own message where it cannot plan."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--dry-run", *sys.argv[1:]],
        capture_output=True,
        text=True,
    )
    text = done.stdout + done.stderr
    print(status(text) if done.returncode == 0 else text.rstrip()[-4000:])
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
