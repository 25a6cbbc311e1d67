"""Two fetches into one folder: the second waits, says for whom, and fetches nothing."""

import errno
import fcntl
import logging
import os

import pytest
from bakeoff.errors import BakeoffError
from bakeoff.lock import locked
from bakeoff.weights import fetch_weights
from support.clip_repository import ENTRY, REPO, WEIGHTS, repository


@pytest.fixture
def fetch(hub, tmp_path):
    hub.repos[REPO] = repository()

    def fetch() -> None:
        fetch_weights(ENTRY, "small", tmp_path / "small", endpoint=hub.endpoint)

    return fetch


class OnWarning(logging.Handler):
    """Calls a function with the first warning that is logged."""

    def __init__(self, then) -> None:
        super().__init__(logging.WARNING)
        self.then = then
        self.texts: list[str] = []

    def emit(self, record) -> None:
        self.texts.append(record.getMessage())
        if len(self.texts) == 1:
            self.then()


@pytest.fixture
def on_warning():
    handlers = []

    def listen(then) -> OnWarning:
        handlers.append(OnWarning(then))
        logging.getLogger().addHandler(handlers[-1])
        return handlers[-1]

    yield listen
    for handler in handlers:
        logging.getLogger().removeHandler(handler)


def test_a_second_fetch_waits_and_says_for_whom(fetch, hub, tmp_path, on_warning):
    (tmp_path / "small").mkdir()
    holder = locked(tmp_path / "small")
    holder.__enter__()
    before = []

    def finish() -> None:
        before.extend(hub.requests)
        holder.__exit__(None, None, None)

    warnings = on_warning(finish)
    fetch()
    assert f"waits for process {os.getpid()} on " in warnings.texts[0]
    assert str(tmp_path / "small") in warnings.texts[0]
    assert before == [] and WEIGHTS in hub.downloads()


def test_the_lock_ends_with_the_fetch(fetch, hub, tmp_path):
    hub.status["list"] = 500
    with pytest.raises(BakeoffError):
        fetch()
    lock = tmp_path / "small/.lock"
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert lock.read_bytes() == b""


def test_a_file_system_without_locks_is_said(fetch, tmp_path, monkeypatch, on_warning):
    def no_locks(*_) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("bakeoff.lock.fcntl.flock", no_locks)
    warnings = on_warning(lambda: None)
    fetch()
    assert "no locks on this file system" in warnings.texts[0]
    assert (tmp_path / "small/encoder.json").is_file()


def test_any_other_failure_of_a_lock_is_an_error(tmp_path, monkeypatch):
    def fails(*_) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("bakeoff.lock.fcntl.flock", fails)
    with pytest.raises(OSError, match="Input/output"), locked(tmp_path):
        pass
