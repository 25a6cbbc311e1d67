"""Answers that are not the hub's: each ends in one clear error, and fills no disk."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest
from bakeoff.errors import BakeoffError
from bakeoff.files import sha256_of
from bakeoff.hub import Hub as Client
from bakeoff.weights import fetch_weights
from support.clip_repository import ENTRY, REPO, WEIGHTS, repository

CONFIG = "open_clip_config.json"
COMMIT = "0" * 40


@pytest.fixture(scope="session")
def files() -> dict[str, bytes]:
    return repository()


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "small"


@pytest.fixture
def fetch(hub, files, folder):
    hub.repos[REPO] = dict(files)

    def fetch(**changes) -> dict:
        fetch_weights(ENTRY | changes, "small", folder, endpoint=hub.endpoint)
        return json.loads((folder / "encoder.json").read_text())

    return fetch


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def test_more_bytes_than_stated(fetch, hub, folder):
    hub.stated[WEIGHTS] = {"size": 10}
    with pytest.raises(BakeoffError, match=r"more than the 10 bytes.*HF_ENDPOINT"):
        fetch()
    (partial,) = folder.glob(".*.part")
    assert partial.stat().st_size <= 10


def test_a_compressed_answer_is_not_unpacked(fetch, hub, files, folder):
    """10 kB that grow to 10 MB; packed twice they would be 10 GB."""
    hub.forged[WEIGHTS] = gzip.compress(bytes(10_000_000))
    hub.headers[WEIGHTS] = {"Content-Encoding": "gzip"}
    with pytest.raises(BakeoffError, match=r"compressed answer \(gzip\)") as error:
        fetch()
    assert WEIGHTS in str(error.value) and "by hand" in str(error.value)
    assert bytes_in(folder) < 2 * len(files[CONFIG])
    assert hub.accepted == {"identity"}


def test_a_compressed_listing_is_not_unpacked(fetch, hub):
    hub.forged["list"] = gzip.compress(hub.listing(REPO))
    hub.headers["list"] = {"Content-Encoding": "gzip, gzip"}
    with pytest.raises(BakeoffError, match=r"compressed answer \(gzip, gzip\)"):
        fetch()


def test_a_listing_without_end(fetch, hub, monkeypatch):
    monkeypatch.setattr("bakeoff.hub._LONGEST_LISTING", 200)
    with pytest.raises(BakeoffError, match="more than the 200 bytes"):
        fetch()


def test_a_partial_download_that_is_too_long_starts_over(
    fetch, hub, files, folder, monkeypatch
):
    import huggingface_hub.file_download as client

    original = client.http_get

    def dies(url, stream, **options):
        if WEIGHTS not in url:
            return original(url, stream, **options)
        stream.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(client, "http_get", dies)
    with pytest.raises(KeyboardInterrupt):
        fetch()
    monkeypatch.setattr(client, "http_get", original)
    (partial,) = folder.glob(".*.part")
    partial.write_bytes(files[WEIGHTS] + b"more")
    fetch()
    assert (folder / WEIGHTS).read_bytes() == files[WEIGHTS]


def test_the_hash_that_is_recorded_is_the_hubs(fetch, files, folder, monkeypatch):
    """Whatever comes to lie in the folder between the download and its description."""
    original = Client.download

    def download(self, file):
        digest = original(self, file)
        with (folder / file.name).open("ab") as stream:
            stream.write(b"\n")
        return digest

    monkeypatch.setattr(Client, "download", download)
    folder.mkdir()
    (folder / "tokenizer.json").write_text("{}")
    note = fetch()
    names = {WEIGHTS, CONFIG}
    stated = {name: hashlib.sha256(files[name]).hexdigest() for name in names}
    assert note["files"] == stated
    assert sha256_of(folder / WEIGHTS) != stated[WEIGHTS]


def test_leftover_weights_are_refused(fetch, folder):
    folder.mkdir()
    (folder / "open_clip_model.bin").write_bytes(b"of another model")
    with pytest.raises(
        BakeoffError, match=r"open_clip_model\.bin, which encoder\.json"
    ):
        fetch()
    assert not (folder / "encoder.json").exists()


def listing(**sibling) -> bytes:
    whole = {"rfilename": "a", "size": 1, "blobId": "0" * 40} | sibling
    return json.dumps({"sha": COMMIT, "siblings": [whole]}).encode()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"<html><body>Please log in</body></html>", "no JSON: b'<html>"),
        (b"", "no JSON: b''"),
        (b"\xff\xfe{}", "no JSON"),
        (b"{}", r"\$: 'sha' is a required property"),
        (b"null", r"\$: None is not of type 'object'"),
        (b"[" * 100_000, "no JSON"),
        (b'{"sha": "main", "siblings": []}', r"\$\.sha: 'main' does not match"),
        (b'{"sha": "../../x", "siblings": []}', r"\$\.sha"),
        (b'{"sha": "%s", "siblings": 3}' % (b"0" * 40), r"\$\.siblings: 3 is not"),
        (listing(size=-1), r"siblings\[0\]\.size: -1 is less"),
        (listing(size="big"), r"siblings\[0\]\.size: 'big' is not"),
        (listing(blobId="../../x"), r"siblings\[0\]\.blobId"),
        (listing(blobId="0" * 40 + "\n"), r"siblings\[0\]\.blobId"),
        (listing(lfs={"sha256": "/etc/x"}), r"siblings\[0\]\.lfs\.sha256"),
        (
            json.dumps({"sha": COMMIT, "siblings": [{"rfilename": "a"}]}).encode(),
            "size",
        ),
        (listing(rfilename="a\0b"), r"no file can have: 'a\\x00b'"),
        (listing(rfilename="a\nb"), r"no file can have: 'a\\nb'"),
        (listing(rfilename="x" * 300), r"no file can have: 'x+'\.\.\. \(300 long\)"),
        (listing(rfilename="\ud800"), "no file can have"),
        (listing(rfilename="../up.safetensors"), "no file can have"),
        (listing(rfilename="model-/../../x-of-1.safetensors"), "no file can have"),
        (listing(rfilename="/etc/passwd"), "no file can have"),
        (listing(rfilename="a//b"), "no file can have"),
        (listing(rfilename="."), "no file can have"),
    ],
)
def test_a_listing_that_is_none(fetch, hub, folder, answer, said):
    hub.forged["list"] = answer
    with pytest.raises(BakeoffError, match=said) as error:
        fetch()
    assert f"{REPO}, the list of its files" in str(error.value)
    assert len(str(error.value)) < 1000
    assert {path.name for path in folder.iterdir()} == {".lock"}


def test_files_in_subfolders_are_left_alone(fetch, hub):
    hub.repos[REPO]["onnx/model.safetensors"] = b"x"
    hub.repos[REPO]["日本語/" + "x" * 255] = b"x"
    assert set(fetch()["files"]) == {WEIGHTS, CONFIG}


def test_a_long_name_of_a_shard(hub, folder):
    """A name may be as long as a name can be, and its partial download fits too.

    A shard in a subfolder is none, though `*` of its pattern would match the slash.
    """
    shard = f"model-{'x' * 220}-of-1.safetensors"
    plain = {"config.json": b"{}", "preprocessor_config.json": b"{}"}
    hub.repos[REPO] = plain | {"model-a/1-of-1.safetensors": b"y", shard: b"x"}
    entry = ENTRY | {"loader": "transformers"}
    fetch_weights(entry, "small", folder, endpoint=hub.endpoint)
    assert (folder / shard).read_bytes() == b"x"
    assert set(hub.downloads()) == {*plain, shard}


@pytest.mark.parametrize("where", ["list", WEIGHTS])
def test_redirections_without_end(fetch, hub, where):
    place = f"/api/models/{REPO}" if where == "list" else f"/{REPO}/resolve/x/{WEIGHTS}"
    hub.moved[where] = place
    with pytest.raises(BakeoffError, match=r"redirects.*HF_ENDPOINT") as error:
        fetch()
    assert REPO in str(error.value)


def test_a_redirection_is_followed_and_its_text_left_unread(fetch, hub, files):
    hub.repos[REPO]["elsewhere"] = files[WEIGHTS]
    hub.moved[WEIGHTS] = f"/{REPO}/resolve/x/elsewhere"
    hub.headers[WEIGHTS] = {"Content-Encoding": "gzip"}  # its text is "moved": no gzip
    assert fetch()["files"][WEIGHTS] == hashlib.sha256(files[WEIGHTS]).hexdigest()


@pytest.mark.parametrize("name", ["../../secret", "a/b/c", "a\0b", "x" * 300])
def test_a_tokenizer_of_a_repository_that_cannot_be(fetch, hub, name):
    hub.repos[REPO] = repository(hf_tokenizer_name=name)
    with pytest.raises(BakeoffError, match="a name that no repository has"):
        fetch()


@pytest.mark.parametrize("endpoint", ["nonsense", "http://a:b", "http://1.2.3.999"])
def test_an_endpoint_that_is_none(fetch, hub, endpoint):
    hub.endpoint = endpoint
    with pytest.raises(BakeoffError, match="no answer from"):
        fetch()
