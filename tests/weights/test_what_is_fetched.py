"""Which files of which commit are fetched, and what the folder says of them."""

import json
from pathlib import Path

import pytest
from bakeoff.errors import BakeoffError
from bakeoff.weights import fetch_weights

REPO = "someone/parts"
FILES = {
    "config.json": b"{}",
    "preprocessor_config.json": b"{}",
    "model-00001-of-00002.safetensors": b"first",
    "model-00002-of-00002.safetensors": b"second",
    "model.safetensors.index.json": b"{}",
    "pytorch_model.bin": b"a pickle that nobody needs",
}
ENTRY = {
    "loader": "transformers",
    "hub": REPO,
    "resolution": 16,
    "dimension": 8,
    "text": True,
    "parameters": 0.8,
    "licence": "MIT",
}


@pytest.fixture
def fetch(hub, tmp_path):
    hub.repos[REPO] = dict(FILES)

    def fetch(**changes) -> Path:
        fetch_weights(ENTRY | changes, "parts", tmp_path / "w", endpoint=hub.endpoint)
        return tmp_path / "w"

    return fetch


def test_a_model_in_several_files_is_fetched_whole(fetch):
    folder = fetch()
    wanted = set(FILES) - {"pytorch_model.bin"}
    note = json.loads((folder / "encoder.json").read_text())
    assert set(note["files"]) == wanted
    assert all((folder / name).read_bytes() == FILES[name] for name in wanted)
    assert note["parameters"] == 800_000


def test_the_commit_of_the_entry_is_asked_for(fetch, hub):
    fetch()
    hub.requests.clear()
    fetch(revision="f" * 40)
    listing = next(path for _, path, _ in hub.requests if path.startswith("/api/"))
    assert listing.endswith("/revision/" + "f" * 40)


def test_the_pin_of_another_repository_does_not_count(fetch, hub):
    fetch()
    hub.repos["someone/else"] = dict(FILES)
    hub.requests.clear()
    fetch(hub="someone/else")
    listing = next(path for _, path, _ in hub.requests if path.startswith("/api/"))
    assert listing.endswith("/someone/else")


def test_a_file_of_the_right_size_with_other_bytes_is_fetched_again(fetch):
    folder = fetch()
    for name in ("config.json", "model-00001-of-00002.safetensors"):
        (folder / name).write_bytes(FILES[name][::-1])
    fetch()
    for name in ("config.json", "model-00001-of-00002.safetensors"):
        assert (folder / name).read_bytes() == FILES[name]


def test_weights_alone_are_no_encoder_without_a_network(fetch, hub, tmp_path):
    hub.endpoint = "http://127.0.0.1:9"
    (tmp_path / "w").mkdir()
    for name in ("model-00001-of-00002.safetensors", "config.json"):
        (tmp_path / "w" / name).write_bytes(FILES[name])
    with pytest.raises(BakeoffError, match="no answer"):
        fetch()
    assert not (tmp_path / "w/encoder.json").exists()


def test_wrong_bytes_do_not_spoil_the_next_attempt(fetch, hub):
    name = "model-00001-of-00002.safetensors"
    hub.forged[name] = FILES[name][::-1]
    with pytest.raises(BakeoffError, match="another hash"):
        fetch()
    del hub.forged[name]
    assert (fetch() / name).read_bytes() == FILES[name]
