"""The client of the Hugging Face hub: what lies where, fetched, checked, explained.

Interrupted downloads go on where they stopped, no answer may be longer than stated, and
every failure says what to do. Whatever answers need not be the hub: a proxy's login
page, a broken mirror and a hostile server each end in one clear error.
"""

import contextlib
import errno
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bakeoff.errors import BakeoffError
from bakeoff.offline import online
from bakeoff.remote import RemoteFile, remote_files

# A listing has about 300 bytes for each file; the largest repositories have 100,000.
_LONGEST_LISTING = 64 * 2**20


class Unreachable(Exception):
    """No answer from the hub; `error` is what the user is told."""

    def __init__(self, error: BakeoffError) -> None:
        self.error = error
        super().__init__(str(error))


class _Refused(Exception):
    """An answer that is not taken: what it was, and what to do."""


class Hub:
    """The hub's client with one destination, and its failures explained."""

    def __init__(self, folder: Path, endpoint: str | None) -> None:
        from huggingface_hub import constants

        self.folder = folder
        self.endpoint = endpoint or constants.ENDPOINT

    def listing(self, repo: str, revision: str | None) -> list[RemoteFile]:
        """The files at the top of a repository at one commit (`remote_files`)."""
        from huggingface_hub.utils import validate_repo_id

        with self._explained("the list of its files", repo, revision):
            validate_repo_id(repo)
            return remote_files(repo, self._listing(repo, revision))

    def _listing(self, repo: str, revision: str | None) -> bytes:
        """The hub's answer; its own client would read one of any length."""
        from huggingface_hub import constants, get_session, hf_raise_for_status
        from huggingface_hub.utils import build_hf_headers

        url = f"{self.endpoint}/api/models/{repo}"
        if revision:
            url += f"/revision/{quote(revision, safe='')}"
        with get_session().stream(
            "GET",
            url,
            params={"blobs": True},
            headers=build_hf_headers(),
            timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT,
        ) as response:
            hf_raise_for_status(response)
            answer = bytearray()
            for chunk in response.iter_bytes():
                answer += chunk
                _refuse_more(len(answer), _LONGEST_LISTING)
            return bytes(answer)

    def download(self, file: RemoteFile) -> str:
        """Bring one file into the folder, from where an earlier attempt stopped.

        Returns its SHA-256. The client's own hf_hub_download starts over after a kill,
        which for gigabytes over a login node's line may never end; its http_get goes on.
        """
        from huggingface_hub import hf_hub_url
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils import build_hf_headers

        # Named by its hash: a file's own name may be as long as a name can be.
        partial = self.folder / f".{file.sha256 or file.blob_id}.part"
        if partial.exists() and partial.stat().st_size > file.size:
            partial.unlink()
        with self._explained(file.name, file.repo, file.revision):
            with _Limited(io.FileIO(partial, "ab"), file.size) as stream:
                http_get(
                    hf_hub_url(
                        file.repo,
                        file.name,
                        revision=file.revision,
                        endpoint=self.endpoint,
                    ),
                    stream,
                    resume_size=stream.tell(),
                    headers=build_hf_headers(),
                    expected_size=file.size,
                    displayed_filename=file.name,
                )
            digest = self._checked(file, partial)
            partial.replace(self.folder / file.name)
        return digest

    def _checked(self, file: RemoteFile, partial: Path) -> str:
        """SHA-256 of the downloaded bytes; raises where they are not the hub's."""
        if digest := file.sha256_at(partial):
            return digest
        partial.unlink()
        hand = self._by_hand(file.name, file.repo, file.revision)
        raise BakeoffError(
            file.name,
            "bytes with another hash than the hub states",
            f"{file.sha256 or file.blob_id} of {file.repo}",
            f"Run again; the second time a proxy or mirror is to blame. {hand}",
        )

    @contextlib.contextmanager
    def _explained(self, what: str, repo: str, revision: str | None) -> Iterator[None]:
        """Turns every failure of the client into one clear error."""
        import httpx2
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError

        def explained(received: str, remedy: str) -> BakeoffError:
            hand = self._by_hand(what, repo, revision)
            return BakeoffError(
                f"{repo}, {what}", received, "the file itself", f"{remedy} {hand}"
            )

        try:
            yield
        except HfHubHTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            raise explained(*_of_status(status)) from error
        except BakeoffError:
            raise
        except _Refused as error:
            raise explained(*error.args) from error
        except HFValidationError as error:
            raise BakeoffError(
                f"{repo!r:.100}",
                "a name that no repository has",
                "owner/name",
                "Check the entry's `hub`, and `hf_tokenizer_name` of its configuration.",
            ) from error
        except (httpx2.TransportError, httpx2.InvalidURL, ConnectionError) as error:
            raise Unreachable(explained(*_no_answer(self.endpoint))) from error
        except httpx2.RequestError as error:
            received = f"no usable answer ({str(error)[:200]})"
            raise explained(received, _MIRROR) from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise explained("a full disk", "Free space and run again.") from error
            received = f"an interrupted download ({str(error).splitlines()[0]})"
            remedy = "Run again: it goes on where it stopped."
            raise explained(received, remedy) from error

    def _by_hand(self, what: str, repo: str, revision: str | None) -> str:
        page = f"{self.endpoint}/{repo}/resolve/{revision or 'main'}/"
        name = "its files" if " " in what else what
        return (
            f"Or place {name} by hand: from {page} into {self.folder}, and run again. "
            "To try bakeoff without a network, choose tiny-clip and tiny-siglip."
        )


class _Limited(io.BufferedWriter):
    """A stream that takes no more than `most` bytes."""

    def __init__(self, raw: io.RawIOBase, most: int) -> None:
        super().__init__(raw)
        self._most = most

    def write(self, data: Any) -> int:
        """The number of bytes written: all of them; raises where they are too many."""
        _refuse_more(self.tell() + len(data), self._most)
        return super().write(data)


def _refuse_more(length: int, most: int) -> None:
    if length > most:
        raise _Refused(f"more than the {most:,} bytes that it may have", _MIRROR)


@contextlib.contextmanager
def connected() -> Iterator[None]:
    """The hub's client, allowed to use the network and guarded (`_guard`)."""
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils._http import default_client_factory

    def guarded() -> Any:
        client = default_client_factory()
        client.headers["Accept-Encoding"] = "identity"
        client.event_hooks = {**client.event_hooks, "response": [_guard]}
        return client

    with online():
        set_client_factory(guarded)
        try:
            yield
        finally:
            set_client_factory(default_client_factory)


def _guard(response: Any) -> None:
    """Refuse a compressed answer, and leave the text of errors and redirections unread.

    64 kB that arrive can be 64 MB once unpacked, and far more where they were packed
    twice; nothing asked for compression. The client reads the text of a redirection
    whole, however long it is, and nobody needs it.
    """
    import httpx2

    class Unread(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return iter(())

        def close(self) -> None:
            stream.close()

    stream = response.stream
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if not response.is_success:
        response.stream = Unread()
    elif coding not in ("", "identity"):
        raise _Refused(f"a compressed answer ({coding:.20})", _MIRROR)


_MIRROR = "Check the mirror in HF_ENDPOINT and the proxy, if there is one; run again."


def _no_answer(endpoint: str) -> tuple[str, str]:
    return (
        f"no answer from {endpoint}",
        "Run this rule where there is a network (on a cluster, the login node).",
    )


def _of_status(status: int) -> tuple[str, str]:
    """What an HTTP status means here, and what to do about it."""
    if status in (401, 403):
        return (
            f"access refused ({status})",
            "Check its name; if its page asks for it, accept its terms there and log "
            "in with `hf auth login`.",
        )
    if status in (404, 410):
        return (
            f"not found ({status}): the repository, commit or file is gone",
            "Check the entry's `hub` and `revision`.",
        )
    if status == 429:
        return "too many requests (429)", "Wait some minutes and run again, or log in."
    return f"an error of the server ({status})", "Run again later."
