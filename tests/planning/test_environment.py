"""The files about the environment and the project agree with each other."""

import re
import tomllib
from pathlib import Path

import yaml
from bakeoff import __version__
from planning.conda import conda_environment, locked_versions

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def test_the_conda_environment_has_the_locked_versions() -> None:
    written = (ROOT / "envs/bakeoff.yaml").read_text(encoding="utf-8")
    assert written == conda_environment(ROOT), "run `make lock`"
    assert f"torch=={locked_versions(LOCK)['torch']}" in written


def test_the_lock_names_no_index_and_no_address_and_hashes_everything() -> None:
    assert not re.search(r"https?://|--index|--find-links|--extra", LOCK)
    packages = re.findall(r"^[a-z0-9-]+==", LOCK, re.MULTILINE)
    hashed = re.findall(
        r"^[a-z0-9-]+==[^\n]*\\\n    --hash=sha256:", LOCK, re.MULTILINE
    )
    assert len(packages) == len(hashed) > 100


def test_the_container_has_the_python_and_the_files_that_it_names() -> None:
    recipe = (ROOT / "envs/Containerfile").read_text(encoding="utf-8")
    conda = yaml.safe_load((ROOT / "envs/bakeoff.yaml").read_text(encoding="utf-8"))
    (python,) = re.findall(r"^FROM \S+/python:([\d.]+)-slim$", recipe, re.MULTILINE)
    assert f"python={python}" in conda["dependencies"]
    copied = re.findall(r"^COPY (.*) \S+$", recipe, re.MULTILINE)
    for source in " ".join(copied).split():
        assert (ROOT / source).exists(), source
    # Setuptools reads these when the package is installed, before the rest is copied.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = [project["project"]["readme"], *project["project"]["license-files"]]
    assert set(named) <= set(copied[0].split())


def test_the_image_leaves_out_what_git_leaves_out() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    assert {".git", ".venv", ".snakemake", "results"} <= set(ignored)
    kept = ("workflow", "rules", "config", "Snakefile", "resources", "docs", "envs")
    assert not set(kept) & set(ignored)


def test_the_citation_names_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert str(citation["version"]) == __version__
    assert citation["license"] == "MIT"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == __version__


def test_the_catalog_says_what_the_workflow_can_do() -> None:
    text = (ROOT / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8")
    usage = yaml.safe_load(text)["usage"]
    assert set(usage["mandatory-flags"]) == {"desc", "flags"}
    deployment = usage["software-stack-deployment"]
    assert set(deployment) == {"conda", "apptainer", "apptainer+conda"}
    rules = "".join(p.read_text("utf-8") for p in (ROOT / "rules").glob("*.smk"))
    assert deployment["conda"] == ("    conda:" in rules)
    snakefile = (ROOT / "Snakefile").read_text("utf-8")
    assert deployment["apptainer"] == ("container:" in snakefile + rules)
    assert usage["report"] == ("report(" in rules)
