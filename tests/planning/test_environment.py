"""The environment files agree with each other and name no index."""

import re
from pathlib import Path

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
