"""The client of the Hugging Face hub: what lies where, fetched, checked, and worded.

Interrupted downloads go on where they stopped, and every failure says what to do.
"""

import contextlib
import errno
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bakeoff.errors import BakeoffError
from bakeoff.images import sha256_of


@dataclass(frozen=True)
class RemoteFile:
    """One file of a repository at one commit; sha256 or git's blob id say its bytes."""

    repo: str
    revision: str
    name: str
    size: int
    sha256: str | None
    blob_id: str | None

    def is_at(self, path: Path) -> bool:
        """Whether the file at `path` has the bytes of this one."""
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        if self.sha256:
            return sha256_of(path) == self.sha256
        data = path.read_bytes()
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest() == self.blob_id


class Unreachable(Exception):
    """No answer from the hub; `worded` is what the user is told."""

    def __init__(self, worded: BakeoffError) -> None:
        self.worded = worded
        super().__init__(str(worded))


class Hub:
    """The hub's client with one destination, and its failures in words."""

    def __init__(self, folder: Path, endpoint: str | None) -> None:
        from huggingface_hub import constants

        self.folder = folder
        self.endpoint = endpoint or constants.ENDPOINT

    def listing(self, repo: str, revision: str | None) -> list[RemoteFile]:
        """All files of a repository at one commit."""
        from huggingface_hub import HfApi

        with self._worded("the list of its files", repo, revision):
            info = HfApi(endpoint=self.endpoint).model_info(
                repo, revision=revision, files_metadata=True
            )
        return [
            RemoteFile(
                repo,
                str(info.sha),
                sibling.rfilename,
                sibling.size or 0,
                sibling.lfs.sha256 if sibling.lfs else None,
                sibling.blob_id,
            )
            for sibling in info.siblings or []
        ]

    def download(self, file: RemoteFile) -> None:
        """Bring one file into the folder, from where an earlier attempt stopped.

        The client's own hf_hub_download begins anew after a kill, which for gigabytes
        over a login node's line may never end; its http_get goes on.
        """
        from huggingface_hub import hf_hub_url
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils import build_hf_headers

        partial = self.folder / f".{file.name}.{file.sha256 or file.blob_id}.part"
        with self._worded(file.name, file.repo, file.revision):
            with partial.open("ab") as stream:
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
            self._check(file, partial)
            partial.replace(self.folder / file.name)

    def _check(self, file: RemoteFile, partial: Path) -> None:
        if file.is_at(partial):
            return
        partial.unlink()
        hand = self._by_hand(file.name, file.repo, file.revision)
        raise BakeoffError(
            file.name,
            "bytes with another hash than the hub states",
            f"{file.sha256 or file.blob_id} of {file.repo}",
            f"Run again; the second time a proxy or mirror is to blame. {hand}",
        )

    @contextlib.contextmanager
    def _worded(self, what: str, repo: str, revision: str | None) -> Iterator[None]:
        """Turns every failure of the client into one clear error."""
        import httpx2
        from huggingface_hub.errors import HfHubHTTPError

        def worded(received: str, remedy: str) -> BakeoffError:
            hand = self._by_hand(what, repo, revision)
            return BakeoffError(
                f"{repo}, {what}", received, "the file itself", f"{remedy} {hand}"
            )

        try:
            yield
        except HfHubHTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            raise worded(*_of_status(status)) from error
        except BakeoffError:
            raise
        except (httpx2.TransportError, ConnectionError) as error:
            raise Unreachable(worded(*_no_answer(self.endpoint))) from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise worded("a full disk", "Free space and run again.") from error
            received = f"an interrupted download ({str(error).splitlines()[0]})"
            raise worded(received, "Run again: it goes on where it stopped.") from error

    def _by_hand(self, what: str, repo: str, revision: str | None) -> str:
        page = f"{self.endpoint}/{repo}/resolve/{revision or 'main'}/"
        name = "its files" if " " in what else what
        return (
            f"Or place {name} by hand: from {page} into {self.folder}, and run again. "
            "To try bakeoff without a network, choose tiny-clip and tiny-siglip."
        )


@contextlib.contextmanager
def online() -> Iterator[None]:
    """The hub's client allowed to use the network, whatever HF_HUB_OFFLINE says.

    The Makefile forbids it for all other jobs.
    """
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = False
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


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
