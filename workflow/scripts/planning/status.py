"""What a run would do now, and why, in words.

    make status                         with CONFIG=... where the run had one

Snakemake's dry run gives a reason for every job. Here jobs with the same first cause
stand together: the settings, the files of code or the images that changed, or what is
not there yet. Jobs that only follow from others are counted in one line.
"""

import ast
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

FOLLOWS = "made from what the others make"

_STRING = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_CODE = re.compile(r"(\S+\.\w+)@([0-9a-f]{8})(?= |$)")
_REASON = re.compile(r"^ *reason: (.*)$", re.MULTILINE | re.IGNORECASE)


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
    """Why a job runs, in words: what changed for itself, before what only follows."""
    if "Params have changed" in reason:
        before, _, now = reason.partition(" before: ")[2].partition(" now: ")
        return _changes(_strings(before), _strings(now))
    if "incomplete" in reason.lower():
        return "interrupted the last time"
    if "Missing output files" in reason:
        return "not made yet"
    if "Set of input files has changed" in reason:
        return "other encoders, protocols or probes than the last time"
    if found := re.search(r"Updated input files: ([^;]*)", reason):
        return f"changed: {found[1].strip()}"
    return FOLLOWS if "updated by another job" in reason else reason.strip()


def _strings(text: str) -> list[str]:
    """The string literals in a list of Python's representations."""
    return [ast.literal_eval(literal) for literal in _STRING.findall(text)]


def _changes(before: list[str], now: list[str]) -> str:
    """What differs between two lists of parameters: code, settings, images."""
    files = _differing(_code_of(before), _code_of(now))
    settings = _differing(_settings_of(before), _settings_of(now))
    parts = [f"code changed: {', '.join(files)}"] if files else []
    parts += [f"settings changed: {', '.join(settings)}"] if settings else []
    return "; ".join(parts) or "images changed"


def _differing(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    return sorted(k for k in before.keys() | now.keys() if before.get(k) != now.get(k))


def _code_of(parameters: list[str]) -> dict[str, str]:
    """{file: hash} of all versions of code among the parameters."""
    return {path: digest for text in parameters for path, digest in _CODE.findall(text)}


def _settings_of(parameters: list[str]) -> dict[str, Any]:
    """{dotted key: value} of all settings among the parameters."""
    found = (json.loads(text) for text in parameters if text.startswith("{"))
    return {key: value for content in found for key, value in _flat(content, "")}


def _flat(content: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(content, dict) and content:
        for key, value in content.items():
            yield from _flat(value, f"{path}.{key}" if path else key)
    else:
        yield path, content


def main() -> int:
    """Print the status of this folder; Snakemake's own words where it cannot plan."""
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
