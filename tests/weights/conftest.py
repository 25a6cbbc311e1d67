"""A hub on loopback: enough of the real one's interface for the real client."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """Repositories by name, and how the server should misbehave."""

    endpoint: str = ""
    repos: dict[str, dict[str, bytes]] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)  # by file name or "list"
    cut: dict[str, int] = field(default_factory=dict)  # bytes sent before it hangs up
    forged: dict[str, bytes | None] = field(default_factory=dict)
    stated: dict[str, dict] = field(
        default_factory=dict
    )  # in the listing, by file name
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)  # where it redirects to
    accepted: set[str] = field(default_factory=set)  # encodings that were asked for
    requests: list[tuple[str, str, str]] = field(default_factory=list)

    def listing(self, repo: str) -> bytes:
        siblings = [
            _sibling(name, data) | self.stated.get(name, {})
            for name, data in self.repos[repo].items()
        ]
        return json.dumps({"id": repo, "sha": COMMIT, "siblings": siblings}).encode()

    def downloads(self) -> list[str]:
        return [
            path.rsplit("/", 1)[1]
            for verb, path, _ in self.requests
            if verb == "GET" and "/resolve/" in path
        ]


def _sibling(name: str, data: bytes) -> dict:
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    sibling = {"rfilename": name, "size": len(data), "blobId": blob}
    if not name.endswith((".json", ".txt")):
        digest = hashlib.sha256(data).hexdigest()
        sibling["lfs"] = {"sha256": digest, "size": len(data), "pointerSize": 130}
    return sibling


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            path = self.path.split("?")[0]
            hub.requests.append((self.command, path, self.headers.get("Range", "")))
            hub.accepted.add(self.headers.get("Accept-Encoding", ""))
            name = "list" if path.startswith("/api/") else path.rsplit("/", 1)[1]
            extra = hub.headers.get(name, {})
            if name in hub.moved:
                self.redirect(hub.moved[name], extra)
            elif name in hub.status:
                self.send_response(hub.status[name])
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif name == "list":
                repo = "/".join(path.split("/")[3:5])
                data = hub.listing(repo) if repo in hub.repos else None
                self.send(hub.forged.get(name, data), extra, body)
            else:
                repo = "/".join(path.split("/")[1:3])
                data = hub.repos[repo].get(name)
                etag = hashlib.sha256(data or b"").hexdigest()
                headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{etag}"'} | extra
                self.send(hub.forged.get(name, data), headers, body, hub.cut.get(name))

        def redirect(self, place, headers) -> None:
            self.send_response(302)
            for name, value in ({"Location": place} | headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"moved")
            self.close_connection = True

        def send(self, data, headers, body, cut=None) -> None:
            if data is None:
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start = 0
            if "Range" in self.headers:
                start = int(self.headers["Range"].split("=")[1].split("-")[0])
                self.send_response(206)
                span = f"bytes {start}-{len(data) - 1}/{len(data)}"
                self.send_header("Content-Range", span)
            else:
                self.send_response(200)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            if body:
                self.wfile.write(data[start : start + cut if cut else None])
                if cut:
                    self.close_connection = True

        def log_message(self, *_) -> None:
            pass

    return Handler


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}
    )
    thread.start()
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    yield hub
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's waits between its attempts take no time, and no token is sent."""
    never: Callable[[float], None] = lambda seconds: None  # noqa: E731
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", never)
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", never)
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    monkeypatch.setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
