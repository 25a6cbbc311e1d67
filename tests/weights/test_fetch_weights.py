"""Fetching with the real client of the hub from a small server on loopback."""

import errno
import json
import pickle
import shutil
from pathlib import Path
from types import SimpleNamespace

import bakeoff
import pytest
import torch
from bakeoff.encoders import load_encoder
from bakeoff.errors import BakeoffError
from bakeoff.files import sha256_of
from bakeoff.weights import fetch_weights
from support.clip_repository import ENTRY, REPO, WEIGHTS, repository


@pytest.fixture(scope="session")
def files() -> dict[str, bytes]:
    return repository()


@pytest.fixture
def fetch(hub, files, tmp_path):
    hub.repos[REPO] = dict(files)

    def fetch(**changes) -> Path:
        folder = tmp_path / "small-clip"
        fetch_weights(ENTRY | changes, "small", folder, endpoint=hub.endpoint)
        return folder

    return fetch


def test_a_folder_that_loads_offline(fetch, hub, files):
    folder = fetch()
    names = {"open_clip_config.json", WEIGHTS}
    notes = {"encoder.json", ".pin", ".lock"}
    assert {p.name for p in folder.iterdir()} == names | notes
    note = json.loads((folder / "encoder.json").read_text())
    assert note["files"] == {name: sha256_of(folder / name) for name in names}
    assert note["revision"] == "0123456789abcdef0123456789abcdef01234567"
    assert (note["licence"], note["source"]) == ("MIT", f"hub:{REPO}")
    before = len(hub.requests)
    encoder = load_encoder(folder)
    assert len(hub.requests) == before
    assert (encoder.id, encoder.dimension, encoder.resolution) == ("small", 8, 16)


def test_the_ban_on_the_network_is_lifted_and_put_back(fetch, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert (fetch() / "encoder.json").exists()
    assert constants.HF_HUB_OFFLINE is True


def test_what_is_there_is_not_fetched_again(fetch, hub):
    folder = fetch()
    assert sorted(hub.downloads()) == sorted(["open_clip_config.json", WEIGHTS])
    hub.requests.clear()
    (folder / "encoder.json").unlink()
    fetch()
    assert hub.downloads() == []


def test_a_file_placed_by_hand_is_not_fetched(fetch, hub, files, tmp_path):
    (tmp_path / "small-clip").mkdir()
    (tmp_path / "small-clip" / WEIGHTS).write_bytes(files[WEIGHTS])
    fetch()
    assert hub.downloads() == ["open_clip_config.json"]


def test_a_damaged_file_is_fetched_again(fetch, hub, files):
    folder = fetch()
    data = bytearray(files[WEIGHTS])
    data[-1] ^= 1
    (folder / WEIGHTS).write_bytes(data)
    fetch()
    assert (folder / WEIGHTS).read_bytes() == files[WEIGHTS]


def test_an_interrupted_download_goes_on_where_it_stopped(
    fetch, hub, files, monkeypatch
):
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 100_000)
    hub.cut[WEIGHTS] = 650_000
    folder = fetch()
    ranges = [
        what for verb, path, what in hub.requests if verb == "GET" and WEIGHTS in path
    ]
    assert ranges[:3] == ["", "bytes=600000-", "bytes=1200000-"]
    assert (folder / WEIGHTS).read_bytes() == files[WEIGHTS]


def test_a_killed_download_goes_on_where_it_stopped(fetch, hub, files, monkeypatch):
    import huggingface_hub.file_download as client

    original = client.http_get

    def dies(url, stream, **options):
        if WEIGHTS not in url:
            return original(url, stream, **options)
        stream.write(files[WEIGHTS][:7000])
        raise KeyboardInterrupt

    monkeypatch.setattr(client, "http_get", dies)
    with pytest.raises(KeyboardInterrupt):
        fetch()
    monkeypatch.setattr(client, "http_get", original)
    hub.requests.clear()
    folder = fetch()
    assert (folder / WEIGHTS).read_bytes() == files[WEIGHTS]
    ranges = [
        what for verb, path, what in hub.requests if verb == "GET" and WEIGHTS in path
    ]
    assert ranges == ["bytes=7000-"]


def test_wrong_bytes_are_refused_and_removed(fetch, hub, files, tmp_path):
    hub.forged[WEIGHTS] = files[WEIGHTS][::-1]
    with pytest.raises(BakeoffError, match="another hash than the hub states") as error:
        fetch()
    assert WEIGHTS in str(error.value)
    assert not (tmp_path / "small-clip" / WEIGHTS).exists()
    assert not (tmp_path / "small-clip/encoder.json").exists()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, r"access refused \(401\).*log in"),
        (403, r"access refused \(403\).*accept its terms"),
        (404, "gone"),
        (429, "too many requests"),
        (500, r"error of the server \(500\)"),
        (503, r"error of the server \(503\)"),
    ],
)
@pytest.mark.parametrize("where", ["list", WEIGHTS])
def test_what_the_server_says(fetch, hub, where, status, words):
    hub.status[where] = status
    with pytest.raises(BakeoffError, match=words) as error:
        fetch()
    text = str(error.value)
    assert REPO in text and "by hand" in text and hub.endpoint in text
    if where == WEIGHTS:
        assert WEIGHTS in text


def test_a_file_revoked_after_the_listing(fetch, hub):
    hub.forged[WEIGHTS] = None
    with pytest.raises(BakeoffError, match="gone"):
        fetch()


def test_no_network(fetch, hub):
    hub.endpoint = "http://127.0.0.1:9"
    with pytest.raises(BakeoffError, match=r"no answer.*login node.*by hand"):
        fetch()


def test_all_files_by_hand_need_no_network(fetch, hub, files, tmp_path):
    hub.endpoint = "http://127.0.0.1:9"
    folder = tmp_path / "small-clip"
    folder.mkdir()
    for name in (WEIGHTS, "open_clip_config.json"):
        (folder / name).write_bytes(files[name])
    fetch()
    note = json.loads((folder / "encoder.json").read_text())
    assert note["source"].startswith("placed by hand") and note["revision"] is None
    assert load_encoder(folder).dimension == 8


def test_too_little_space(fetch, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=9))
    with pytest.raises(BakeoffError, match=r"0\.0 GB of free space"):
        fetch()


def test_a_disk_that_fills_up(fetch, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("huggingface_hub.file_download.http_get", full)
    with pytest.raises(BakeoffError, match="full disk"):
        fetch()


def test_a_repository_of_another_kind(fetch, hub):
    hub.repos[REPO] = {"model.onnx": b"x"}
    with pytest.raises(BakeoffError, match=r"model\.onnx.*open_clip_model"):
        fetch()


def test_the_first_commit_stays(fetch, hub):
    fetch()
    hub.requests.clear()
    fetch()
    listing = next(path for _, path, _ in hub.requests if path.startswith("/api/"))
    assert listing.endswith("/revision/0123456789abcdef0123456789abcdef01234567")


class Evil:
    def __reduce__(self):
        return exec, ("import bakeoff; bakeoff.evil = True",)


def test_pickles_are_never_executed(fetch, hub, files, tmp_path):
    del hub.repos[REPO][WEIGHTS]
    hub.repos[REPO]["open_clip_pytorch_model.bin"] = pickle.dumps({"x": Evil()})
    folder = fetch()
    with pytest.raises(BakeoffError, match="cannot be loaded"):
        load_encoder(folder)
    assert not hasattr(bakeoff, "evil")


def test_old_bin_files_load_when_they_hold_only_tensors(fetch, hub, files, tmp_path):
    from safetensors.torch import load

    del hub.repos[REPO][WEIGHTS]
    torch.save(load(files[WEIGHTS]), tmp_path / "x.bin")
    hub.repos[REPO]["open_clip_pytorch_model.bin"] = (tmp_path / "x.bin").read_bytes()
    assert load_encoder(fetch()).dimension == 8


def test_a_tag_brings_its_activation_and_preprocessing(hub, tmp_path):
    """OpenAI's weights need QuickGELU, which the architecture's name does not say."""
    repo = "timm/vit_large_patch14_clip_336.openai"
    hub.repos[repo] = {WEIGHTS: b"x", "model.safetensors": b"the image tower alone"}
    entry = ENTRY | {"name": "ViT-L-14-336", "pretrained": "openai"}
    del entry["hub"]
    fetch_weights(entry, "clip", tmp_path / "clip", endpoint=hub.endpoint)
    config = json.loads((tmp_path / "clip/open_clip_config.json").read_text())
    assert config["model_cfg"]["quick_gelu"] is True
    assert config["model_cfg"]["vision_cfg"]["image_size"] == 336
    assert config["preprocess_cfg"]["mean"][0] == 0.48145466
    assert hub.downloads() == [WEIGHTS]


def test_a_tokenizer_of_another_repository_comes_along(hub, tmp_path):
    hub.repos["timm/ViT-L-16-SigLIP-384"] = {WEIGHTS: b"x"}
    hub.repos["timm/ViT-B-16-SigLIP"] = {"tokenizer.json": b"{}", "other.bin": b"y"}
    entry = ENTRY | {"name": "ViT-L-16-SigLIP-384", "pretrained": "webli"}
    fetch_weights(entry, "siglip", tmp_path / "siglip", endpoint=hub.endpoint)
    assert (tmp_path / "siglip/tokenizer.json").read_bytes() == b"{}"
    note = json.loads((tmp_path / "siglip/encoder.json").read_text())
    assert "tokenizer.json" in note["files"]


def test_unknown_tags(tmp_path):
    for name, tag in (("ViT-B-32", "nonsense"), ("nonsense", "openai")):
        entry = ENTRY | {"name": name, "pretrained": tag}
        with pytest.raises(BakeoffError, match="nonsense"):
            fetch_weights(entry, "x", tmp_path / "x")
