"""A self-contained folder of weights from an entry of the catalogue.

The only part of the library that touches the network, and only through the hub's client
(`hub`). What it leaves behind is read from disk ever after: weights,
configuration, tokenizer, preprocessing, and `encoder.json` with their SHA-256, the
commit that they came from and their licence, written last. A file that already lies in
the folder with the right hash, whoever put it there, is not fetched again.

No pickle and no code of a repository is executed: safetensors are taken where there are
any, open_clip's older `.bin` files are read with `weights_only=True`, and configurations
that load code are refused before the weights are fetched (`safety`).
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from bakeoff.encoder_files import NEEDED, OPTIONAL, TOKENIZER, WEIGHTS
from bakeoff.errors import BakeoffError
from bakeoff.files import atomic_path, sha256_of
from bakeoff.hub import Hub, Unreachable, connected
from bakeoff.lock import locked
from bakeoff.remote import RemoteFile
from bakeoff.safety import refuse_code, refuse_unlisted, text_settings

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
    folder; else the newest. endpoint: of the hub, for mirrors. A second fetch into the
    same folder waits for the first.
    Raises BakeoffError naming the file, what went wrong, and how to place it by hand.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        repo = _write_openclip_config(entry, folder) or entry["hub"]
        try:
            with connected():
                hashes, revision = _fetch(entry, repo, folder, Hub(folder, endpoint))
            source = f"hub:{repo}"
        except Unreachable as error:
            if not _is_complete(entry["loader"], folder):
                raise error.error from error
            refuse_code(folder)
            hashes, revision = _hashes_by_hand(entry["loader"], folder), None
            source = f"{_BY_HAND} (hub:{repo})"
        refuse_unlisted(folder, hashes)
        origin = {"source": source, "revision": revision}
        _describe(entry, encoder_id, folder, hashes, origin)


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
) -> tuple[dict[str, str], str]:
    """SHA-256 by name of what the encoder needs, all of it now in `folder`; the commit.

    Configuration and tokenizer first: one that would load code is refused for the price
    of a few kilobytes.
    """
    loader = entry["loader"]
    files = hub.listing(repo, _revision(entry, repo, folder))
    # A configuration written from an open_clip tag stands in for the repository's.
    needed = () if "pretrained" in entry else NEEDED[loader]
    weights, others = _chosen(loader, needed, files, repo)
    hashes = {n: sha256_of(folder / n) for n in NEEDED[loader] if n not in needed}
    hashes |= _bring(others, folder, hub)
    if loader == "openclip" and not hashes.keys() & set(TOKENIZER):
        hashes |= _bring(_tokenizer_of_another_repo(folder, hub), folder, hub)
    refuse_code(folder)
    hashes |= _bring(weights, folder, hub)
    revision = weights[0].revision
    with atomic_path(folder / ".pin") as temporary:
        temporary.write_text(f"{repo} {revision}")
    return hashes, revision


def _bring(files: Sequence[RemoteFile], folder: Path, hub: Hub) -> dict[str, str]:
    """SHA-256 by name of the files, all of them now in `folder` with the hub's bytes."""
    there = {file.name: file.sha256_at(folder / file.name) for file in files}
    hashes = {name: digest for name, digest in there.items() if digest}
    absent = [file for file in files if file.name not in hashes]
    _check_space(folder, absent)
    return hashes | {file.name: hub.download(file) for file in absent}


def _chosen(
    loader: str, needed: Sequence[str], listed: Sequence[RemoteFile], repo: str
) -> tuple[list[RemoteFile], list[RemoteFile]]:
    """One set of weights; then what it needs and what helps."""
    by_pattern = (
        [file for file in listed if fnmatch(file.name, pattern)]
        for pattern in WEIGHTS[loader]
    )
    weights: list[RemoteFile] = next(filter(None, by_pattern), [])
    names = {file.name: file for file in listed}
    if not weights or not set(needed) <= set(names):
        raise BakeoffError(
            repo,
            f"a repository with {sorted(names)}",
            f"one of {list(WEIGHTS[loader])} and {list(needed)}",
            f"Check the entry's `hub` and `loader` ({loader}).",
        )
    wanted = [*needed, *(name for name in OPTIONAL[loader] if name in names)]
    return weights, [names[name] for name in wanted]


def _tokenizer_of_another_repo(folder: Path, hub: Hub) -> list[RemoteFile]:
    """open_clip configurations may name another repository's tokenizer."""
    repo = text_settings(folder).get("hf_tokenizer_name")
    if not repo:
        return []
    return [file for file in hub.listing(repo, None) if file.name in TOKENIZER]


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


def _hashes_by_hand(loader: str, folder: Path) -> dict[str, str]:
    """SHA-256 by name of files placed by hand; nobody else states any."""
    patterns = (*WEIGHTS[loader], *NEEDED[loader], *OPTIONAL[loader])
    names = (path.name for path in folder.iterdir())
    chosen = (n for n in names if any(fnmatch(n, pattern) for pattern in patterns))
    return {name: sha256_of(folder / name) for name in chosen}


def _describe(
    entry: Mapping[str, Any],
    encoder_id: str,
    folder: Path,
    hashes: Mapping[str, str],
    origin: Mapping[str, str | None],
) -> None:
    """Write encoder.json, which makes the folder an encoder."""
    note = {
        "id": encoder_id,
        "loader": entry["loader"],
        "files": dict(sorted(hashes.items())),
        "dimension": entry["dimension"],
        "resolution": entry["resolution"],
        "has_text": entry["text"],
        "parameters": round(entry["parameters"] * 1e6),
        "licence": entry["licence"],
        **origin,
    }
    with atomic_path(folder / "encoder.json") as temporary:
        temporary.write_text(json.dumps(note, indent=1))
