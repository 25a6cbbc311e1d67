"""Whether a job's outputs are what today's settings, code and inputs would give.

What a job was made from stands in the record beside its first output. Here it is
compared with today's, and every difference is a reason for the user to read.
"""

import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bakeoff.errors import listed
from bakeoff.files import sha256_of
from bakeoff.records import UNSETTLED, Record, portable, read_record

from planning.contents import DAMAGED

NO_RECORD = "nothing says what it was made from"

_MOST = 60  # characters of a value

Hash = Callable[[str], str | None]


class Current:
    """Compares records with what is there now; `root` is the folder of the code."""

    def __init__(self, root: Path, content: Hash, *, own_libraries: bool) -> None:
        """content: the hash of a path, None where nothing is there.

        own_libraries: whether jobs run in this very environment, so that its versions
        of libraries are those of the jobs.
        """
        self.root = root
        self.content = content
        self.own_libraries = own_libraries

    def reasons(
        self,
        outputs: Sequence[str],
        inputs: Iterable[str],
        params: Mapping[str, Any],
        ignored: Iterable[str] = (),
    ) -> list[str]:
        """Why a job with these outputs has to run again; nothing where it has not.

        `ignored` are inputs whose content does not matter. Inputs that are not made yet
        are no reason here: the workflow engine sees them.
        """
        record = read_record(outputs[0])
        if record is None:
            return [NO_RECORD]
        return [
            *self._settings(record, params),
            *self._code(record, params["code"]),
            *self._libraries(record, params["libraries"]),
            *self._inputs(record, inputs, set(map(self._portable, ignored))),
            *self._outputs(record, outputs),
        ]

    def _portable(self, path: str) -> str:
        return str(portable(path, self.root))

    def _settings(self, record: Record, params: Mapping[str, Any]) -> Iterator[str]:
        kept = {k: v for k, v in params.items() if k not in ("code", "libraries")}
        now = portable(kept, self.root)
        if now == record.settings:  # the usual case, without parsing
            return
        before, after = dict(_flat(record.settings)), dict(_flat(now))
        changes = [
            f"{key} was {_shown(before, key)}, is {_shown(after, key)}"
            for key in sorted(before.keys() | after.keys())
            if before.get(key) != after.get(key)
        ]
        if changes:
            yield f"settings: {listed(changes, 3)}"

    def _code(self, record: Record, planned: str) -> Iterator[str]:
        now = _planned(planned)
        changed = [name for name in now if record.code.get(name) != now[name]]
        # What ran although it was not planned, compared with the file as it is.
        changed += [
            name
            for name, found in record.code.items()
            if name not in now and found != self._on_disk(name)
        ]
        if changed:
            yield f"code: {listed(sorted(changed), 3)}"

    def _on_disk(self, name: str) -> str | None:
        return _short_hash(self.root / "workflow/scripts" / name)

    def _libraries(self, record: Record, planned: str) -> Iterator[str]:
        if not self.own_libraries:
            return
        now = dict(word.partition("==")[::2] for word in planned.split())
        changes = [
            f"{name} was {record.libraries.get(name, 'not used')}, "
            f"is {now.get(name, 'not used') or 'not installed'}"
            for name in sorted(now.keys() | record.libraries.keys())
            if record.libraries.get(name) != now.get(name)
        ]
        if changes:
            yield f"libraries: {listed(changes, 3)}"

    def _inputs(
        self, record: Record, inputs: Iterable[str], ignored: set[str]
    ) -> Iterator[str]:
        now = {self._portable(path): path for path in inputs}
        old = record.inputs
        added = sorted(now.keys() - old.keys() - ignored)
        gone = sorted(old.keys() - now.keys() - ignored)
        if added or gone:
            words = [f"{path} is new" for path in added]
            words += [f"{path} is no longer used" for path in gone]
            yield f"inputs: {listed(words, 3)}"
        changed = [
            self._change(name, old[name])
            for name, path in now.items()
            if name in old and name not in ignored and self._differs(path, old[name])
        ]
        if changed:
            yield f"inputs: {listed(changed, 3)}"

    @staticmethod
    def _change(name: str, before: str) -> str:
        return f"{name} {before if before == UNSETTLED else 'changed'}"

    def _differs(self, path: str, before: str) -> bool:
        found = self.content(path)
        return found is not None and found != before

    def _outputs(self, record: Record, outputs: Iterable[str]) -> Iterator[str]:
        words = []
        for path in outputs:
            found, made = self.content(path), record.outputs.get(self._portable(path))
            if found is None:
                words.append(f"{path} is missing")
            elif found != made:
                what = "is damaged" if found == DAMAGED else "was changed afterwards"
                words.append(f"{path} {what}")
        if words:
            yield f"outputs: {listed(words, 3)}"


@functools.cache
def _planned(code: str) -> dict[str, str]:
    """{file: hash} of a version of code."""
    return dict(word.rpartition("@")[::2] for word in code.split())


@functools.cache
def _short_hash(path: Path) -> str | None:
    try:
        return sha256_of(path)[:8]
    except OSError:
        return None


def _shown(values: Mapping[str, Any], key: str) -> str:
    text = json.dumps(values[key]) if key in values else "not set"
    return text if len(text) <= _MOST else f"{text[:_MOST]}..."


def _flat(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of nested settings; JSON inside of strings is opened."""
    if isinstance(content, str) and content.startswith("{"):
        content = json.loads(content)
    if isinstance(content, dict) and content:
        for key, value in content.items():
            inner = key if path in ("", "settings") else f"{path}.{key}"
            yield from _flat(value, inner)
    else:
        yield path, content
