"""Repositories that bring code, from a hub and from a folder: nothing of it runs.

The hub's client is allowed the network here, as if nothing forbade it, and every question
that a library might ask ("run the custom code?") is answered with yes.
"""

import json
from pathlib import Path

import pytest
from bakeoff.encoders import load_encoder
from bakeoff.errors import BakeoffError
from bakeoff.files import sha256_of
from bakeoff.safety import refuse_code
from bakeoff.weights import fetch_weights
from safetensors.torch import load, save
from support.clip_repository import ENTRY, REPO, WEIGHTS, repository
from tokenizers import Tokenizer, models

CONFIG = "open_clip_config.json"


@pytest.fixture(autouse=True)
def open_doors(hub, tmp_path, monkeypatch) -> None:
    """All that could keep code from running, but for the code under test, is lifted."""
    from huggingface_hub import constants
    from transformers import dynamic_module_utils

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
    template = hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    modules = str(tmp_path / "modules")
    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", modules)
    monkeypatch.setattr("builtins.input", lambda *_: "y")


@pytest.fixture
def marker(tmp_path) -> Path:
    """What the planted code would write."""
    return tmp_path / "it-ran"


def hostile(marker: Path, place: str, **text: object) -> dict[str, bytes]:
    """A repository whose tokenizer is said to be made by the code of `place`."""
    files = repository(hf_tokenizer_name="local", **text)
    tokenizer = Tokenizer(models.WordLevel({"[PAD]": 0, "a": 1}, unk_token="[PAD]"))
    settings = {
        "auto_map": {"AutoTokenizer": [f"{place}planted.Planted", None]},
        "tokenizer_class": "Planted",
        "pad_token": "[PAD]",
    }
    code = f"""
from pathlib import Path
from transformers import PreTrainedTokenizerFast
Path({str(marker)!r}).touch()
class Planted(PreTrainedTokenizerFast):
    pass
"""
    return files | {
        "tokenizer.json": tokenizer.to_str().encode(),
        "tokenizer_config.json": json.dumps(settings).encode(),
        "planted.py": code.encode(),
    }


def fetched(hub, files: dict[str, bytes], tmp_path: Path) -> str:
    """What the user is told who fetches and loads the repository; empty for nothing."""
    hub.repos[REPO] = files
    folder = tmp_path / "small"
    try:
        fetch_weights(ENTRY, "small", folder, endpoint=hub.endpoint)
        load_encoder(folder)
    except BakeoffError as error:
        return str(error)
    return ""


def placed(folder: Path, files: dict[str, bytes], *left_out: str) -> Path:
    """A weights folder with all the files, described as if they belonged there."""
    folder.mkdir()
    for name in set(files) - {"open_clip_pytorch_model.bin", *left_out}:
        (folder / name).write_bytes(files[name])
    note = {"id": "small", "files": {p.name: sha256_of(p) for p in folder.iterdir()}}
    note |= {"loader": "openclip", "dimension": 8, "resolution": 16}
    (folder / "encoder.json").write_text(json.dumps(note))
    return folder


def refusal(folder: Path) -> str:
    try:
        load_encoder(folder)
    except BakeoffError as error:
        return str(error)
    return ""


TRUST = {"tokenizer_kwargs": {"trust_remote_code": True}}


def test_a_hub_repository_that_asks_for_trust(hub, marker, tmp_path):
    said = fetched(hub, hostile(marker, f"{REPO}--", **TRUST), tmp_path)
    assert not marker.exists(), "code of the repository ran"
    assert "'trust_remote_code': True" in said and CONFIG in said
    assert "clean (str), language (str), strip_sep_token (bool)" in said
    assert WEIGHTS not in hub.downloads(), "refused before the weights are fetched"
    assert not (tmp_path / "small/encoder.json").exists()


def test_a_hub_repository_that_only_names_code(hub, marker, tmp_path):
    said = fetched(hub, hostile(marker, f"{REPO}--"), tmp_path)
    assert not marker.exists(), "code of the repository ran"
    assert "only the code of its repository can load" in said
    assert "planted.py" not in hub.downloads()


@pytest.mark.parametrize("text", [TRUST, {}])
def test_a_folder_with_code(marker, tmp_path, text):
    said = refusal(placed(tmp_path / "small", hostile(marker, "", **text)))
    assert not marker.exists(), "code in the folder ran"
    assert "the code planted.py" in said and "no code of a repository runs" in said


def test_a_folder_that_asks_for_trust_in_a_repository(hub, marker, tmp_path):
    hub.repos[REPO] = files = hostile(marker, f"{REPO}--", **TRUST)
    said = refusal(placed(tmp_path / "small", files, "planted.py"))
    assert not marker.exists(), "code of the repository ran"
    assert "'trust_remote_code': True" in said and hub.requests == []


def test_files_placed_by_hand_are_refused_too(marker, tmp_path):
    folder = placed(tmp_path / "small", hostile(marker, "", **TRUST))
    (folder / "encoder.json").unlink()
    with pytest.raises(BakeoffError, match="the code planted"):
        fetch_weights(ENTRY, "small", folder, endpoint="http://127.0.0.1:9")
    assert not (folder / "encoder.json").exists()


def test_code_in_a_subfolder(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/x.py").touch()
    with pytest.raises(BakeoffError, match=r"the code a/b/x\.py"):
        refuse_code(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ({"tokenizer_kwargs": {"clean": ["lower"]}}, r"'clean': \['lower'\]"),
        (
            {"tokenizer_kwargs": {"code_revision": "x", "clean": "lower"}},
            "code_revision",
        ),
        ({"tokenizer_kwargs": {"tokenizer_type": "bert"}}, "tokenizer_type"),
        ({"tokenizer_kwargs": {"cache_dir": "/tmp"}}, "cache_dir"),
        ({"tokenizer_kwargs": ["trust_remote_code"]}, r"\['trust_remote_code'\]"),
        ({"hf_model_name": "someone/else"}, "hf_model_name 'someone/else'"),
    ],
)
def test_other_settings_of_the_text_tower(tmp_path, text, said):
    (tmp_path / CONFIG).write_bytes(repository(**text)[CONFIG])
    with pytest.raises(BakeoffError, match=said):
        refuse_code(tmp_path)


def test_what_is_allowed(tmp_path):
    keys = {"clean": "canonicalize", "strip_sep_token": True, "language": "en"}
    (tmp_path / CONFIG).write_bytes(repository(tokenizer_kwargs=keys)[CONFIG])
    refuse_code(tmp_path)


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"model_cfg": 3}', "[" * 100_000])
def test_a_configuration_that_is_none(tmp_path, text):
    (tmp_path / CONFIG).write_text(text)
    with pytest.raises(BakeoffError, match="no readable configuration"):
        refuse_code(tmp_path)


def test_an_adapter(tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(BakeoffError, match="adapter_config"):
        refuse_code(tmp_path)


def test_weights_that_take_the_place_of_listed_ones(tmp_path):
    """open_clip takes open_clip_model.safetensors first, listed or not."""
    files = repository()
    other = {k: v * 2 for k, v in load(files[WEIGHTS]).items()}
    listed_name = "open_clip_pytorch_model.safetensors"
    files[listed_name] = files.pop(WEIGHTS)
    folder = placed(tmp_path / "small", files)
    texts = load_encoder(folder).encode_texts(["a"])
    (folder / WEIGHTS).write_bytes(save(other))
    with pytest.raises(BakeoffError, match=f"{WEIGHTS}, which encoder.json does not"):
        load_encoder(folder)
    (folder / WEIGHTS).unlink()
    assert load_encoder(folder).encode_texts(["a"]).equal(texts)


def test_fine_tuning_and_interpolation_refuse_it_too(marker, tmp_path):
    from bakeoff.encoders.derive import interpolate
    from bakeoff.finetune.model import load as load_for_training

    folder = placed(tmp_path / "small", hostile(marker, "", **TRUST))
    for use in (
        lambda: load_for_training(folder, "cpu"),
        lambda: interpolate(tmp_path / "mixed", "mixed", folder, folder, 0.5),
    ):
        with pytest.raises(BakeoffError, match="the code planted"):
            use()
    assert not marker.exists()


def test_what_a_fetch_notes_for_itself_is_not_passed_on(hub, tmp_path):
    from bakeoff.encoders.derive import interpolate
    from bakeoff.finetune.model import load as load_for_training
    from bakeoff.finetune.save import save_encoder

    assert fetched(hub, repository(), tmp_path) == ""
    folder, mixed, tuned = (tmp_path / name for name in ("small", "mixed", "tuned"))
    interpolate(mixed, "mixed", folder, folder, 0.5)
    save_encoder(load_for_training(folder, "cpu").model, folder, tuned, {})
    for made in (mixed, tuned):
        assert not [path.name for path in made.iterdir() if path.name[0] == "."]
        load_encoder(made)
