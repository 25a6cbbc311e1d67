"""A self-contained folder of weights from an entry of the catalogue.

The only part of the library that touches the network, and only through the hub's client
(`hub`). What it leaves behind is read from disk ever after: weights,
configuration, tokenizer, preprocessing, and `encoder.json` with their SHA-256, the
commit that they came from and their licence, written last. A file that already lies in
the folder with the right hash, whoever put it there, is not fetched again.

No pickle is executed: safetensors are taken where there are any, and open_clip's older
`.bin` files are read with `weights_only=True`.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from bakeoff.encoder_files import NEEDED, OPTIONAL, TOKENIZER, WEIGHTS
from bakeoff.errors import BakeoffError
from bakeoff.hub import Hub, RemoteFile, Unreachable, online
from bakeoff.images import sha256_of
from bakeoff.tables import atomic_path

_BY_HAND = "placed by hand"


def fetch_weights(
    entry: Mapping[str, Any],
    encoder_id: str,
    folder: Path,
    *,
    endpoint: str | None = None,
) -> None:
    """Fill `folder` with the weights of a catalogue entry and describe them.

    The commit is the entry's `revision`; else the one of an earlier fetch into this
    folder; else the newest. endpoint: of the hub, for mirrors.
    Raises BakeoffError naming the file, what went wrong, and how to place it by hand.
    """
    folder.mkdir(parents=True, exist_ok=True)
    loader = entry["loader"]
    repo = _write_openclip_config(entry, folder) or entry["hub"]
    try:
        with online():
            files = _fetch(entry, repo, folder, Hub(folder, endpoint))
        origin: dict[str, str | None] = {
            "source": f"hub:{repo}",
            "revision": files[0].revision,
        }
    except Unreachable as error:
        if not _is_complete(loader, folder):
            raise error.worded from error
        origin = {"source": f"{_BY_HAND} (hub:{repo})", "revision": None}
    _describe(entry, encoder_id, folder, origin)


def _write_openclip_config(entry: Mapping[str, Any], folder: Path) -> str | None:
    """The repository of an open_clip tag, whose configuration is written here.

    The tag, not the architecture's name, knows the activation (OpenAI's weights need
    QuickGELU) and the preprocessing; a repository's own file may lack either.
    """
    if "pretrained" not in entry:
        return None
    import open_clip
    from open_clip.transform import PreprocessCfg, merge_preprocess_dict

    name, tag = entry["name"], entry["pretrained"]
    model, weights = open_clip.get_model_config(name), None
    if model:
        weights = open_clip.get_pretrained_cfg(name, tag)
    if not weights or not weights.get("hf_hub"):
        raise BakeoffError(
            "catalogue",
            f"{name!r} with the tag {tag!r}",
            "an architecture and a tag that open_clip knows and the hub holds",
            f"Tags of it: {open_clip.list_pretrained_tags_by_model(name)}",
        )
    if weights.get("quick_gelu"):
        model["quick_gelu"] = True
    preprocess = merge_preprocess_dict(PreprocessCfg(), weights)
    content = {"model_cfg": model, "preprocess_cfg": preprocess}
    with atomic_path(folder / "open_clip_config.json") as temporary:
        temporary.write_text(json.dumps(content, indent=1))
    return "/".join(str(weights["hf_hub"]).split("/")[:2])


def _revision(entry: Mapping[str, Any], repo: str, folder: Path) -> str | None:
    if entry.get("revision"):
        return str(entry["revision"])
    pin = folder / ".pin"
    if pin.exists() and pin.read_text().startswith(f"{repo} "):
        return pin.read_text().split()[1]
    return None


def _fetch(
    entry: Mapping[str, Any], repo: str, folder: Path, hub: Hub
) -> list[RemoteFile]:
    """The files that the encoder needs, all of them now in `folder`."""
    loader = entry["loader"]
    listed = hub.listing(repo, _revision(entry, repo, folder))
    # A configuration written from an open_clip tag stands in for the repository's.
    needed = () if "pretrained" in entry else NEEDED[loader]
    files = _chosen(loader, needed, listed)
    absent = [file for file in files if not file.is_at(folder / file.name)]
    _check_space(folder, absent)
    for file in absent:
        hub.download(file)
    with atomic_path(folder / ".pin") as temporary:
        temporary.write_text(f"{repo} {files[0].revision}")
    if loader == "openclip" and not any(file.name in TOKENIZER for file in files):
        files += _tokenizer_of_another_repo(folder, hub)
    return files


def _chosen(
    loader: str, needed: Sequence[str], listed: Sequence[RemoteFile]
) -> list[RemoteFile]:
    """One set of weights first, then what it needs, then what helps."""
    by_pattern = (
        [file for file in listed if fnmatch(file.name, pattern)]
        for pattern in WEIGHTS[loader]
    )
    weights: list[RemoteFile] = next(filter(None, by_pattern), [])
    names = {file.name: file for file in listed}
    if not weights or not set(needed) <= set(names):
        raise BakeoffError(
            listed[0].repo if listed else "the hub",
            f"a repository with {sorted(names)}",
            f"one of {list(WEIGHTS[loader])} and {list(needed)}",
            f"Check the entry's `hub` and `loader` ({loader}).",
        )
    wanted = [*needed, *(name for name in OPTIONAL[loader] if name in names)]
    return weights + [names[name] for name in wanted]


def _tokenizer_of_another_repo(folder: Path, hub: Hub) -> list[RemoteFile]:
    """open_clip configurations may name another repository's tokenizer."""
    config = json.loads((folder / "open_clip_config.json").read_text())
    repo = config["model_cfg"].get("text_cfg", {}).get("hf_tokenizer_name")
    if not repo:
        return []
    files = [file for file in hub.listing(repo, None) if file.name in TOKENIZER]
    for file in files:
        if not file.is_at(folder / file.name):
            hub.download(file)
    return files


def _check_space(folder: Path, files: Sequence[RemoteFile]) -> None:
    wanted = sum(file.size for file in files)
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise BakeoffError(
            str(folder),
            f"{free / 1e9:.1f} GB of free space",
            f"{wanted / 1e9:.1f} GB for {[file.name for file in files]}",
            "Free space, or make the folder a link to a larger disk.",
        )


def _is_complete(loader: str, folder: Path) -> bool:
    names = [path.name for path in folder.iterdir()]
    weights = any(fnmatch(name, w) for name in names for w in WEIGHTS[loader])
    return weights and set(NEEDED[loader]) <= set(names)


def _describe(
    entry: Mapping[str, Any], encoder_id: str, folder: Path, origin: Mapping[str, Any]
) -> None:
    """Write encoder.json, which makes the folder an encoder."""
    patterns = (*WEIGHTS[entry["loader"]], *NEEDED[entry["loader"]])
    patterns += OPTIONAL[entry["loader"]]
    names = sorted(
        path.name
        for path in folder.iterdir()
        if any(fnmatch(path.name, pattern) for pattern in patterns)
    )
    note = {
        "id": encoder_id,
        "loader": entry["loader"],
        "files": {name: sha256_of(folder / name) for name in names},
        "dimension": entry["dimension"],
        "resolution": entry["resolution"],
        "has_text": entry["text"],
        "parameters": round(entry["parameters"] * 1e6),
        "licence": entry["licence"],
        **origin,
    }
    with atomic_path(folder / "encoder.json") as temporary:
        temporary.write_text(json.dumps(note, indent=1))
