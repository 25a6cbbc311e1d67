"""The libraries that a rule's numbers depend on, and their versions.

A script depends on what it and the local code behind it import. Of the libraries that
load encoders, a rule about one encoder depends on that encoder's alone.
"""

import functools
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bakeoff.encoders.loaders import LIBRARIES

from planning.code import imported

# Distribution by the name that is imported. What only reads, writes or moves numbers
# (pyarrow, safetensors, yaml, tqdm) is not among them.
NUMERICAL = {
    "PIL": "pillow",
    "matplotlib": "matplotlib",
    "numpy": "numpy",
    "open_clip": "open-clip-torch",
    "pandas": "pandas",
    "peft": "peft",
    "resvg_py": "resvg-py",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "timm": "timm",
    "tokenizers": "tokenizers",
    "torch": "torch",
    "torchvision": "torchvision",
    "transformers": "transformers",
    "usearch": "usearch",
}
_OF_LOADERS = {name for names in LIBRARIES.values() for name in names}


def libraries(
    script: str, root: Path, cache: Path | None, loaders: Iterable[str] | None = None
) -> str:
    """`name==version name==version` of what a script's numbers depend on, sorted.

    root, cache: as for `code_version`. loaders: those of the encoders that the rule is
    about; all of them if None. A library that is not installed has no version.
    """
    names = {NUMERICAL[n] for n in imported(script, root, cache) if n in NUMERICAL}
    if loaders is not None:
        own = {name for loader in loaders for name in LIBRARIES[loader]}
        names = names - _OF_LOADERS | names & own
    return " ".join(f"{name}{_version(name)}" for name in sorted(names))


@functools.cache
def _version(name: str) -> str:
    try:
        return f"=={version(name)}"
    except PackageNotFoundError:
        return ""
