"""The libraries that load encoders are offline by our own code, in every process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from bakeoff.hub import connected
from bakeoff.offline import stay_offline
from huggingface_hub import constants, get_session
from huggingface_hub.errors import OfflineModeIsEnabled

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"


@pytest.mark.parametrize(
    "code",
    [
        "import bakeoff.errors, huggingface_hub",
        "import huggingface_hub.constants, bakeoff.errors",
    ],
)
@pytest.mark.parametrize("before", [None, "0"])
def test_whichever_comes_first_and_whatever_the_environment_says(code, before):
    environment = {k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"}
    environment |= {"PYTHONPATH": str(SCRIPTS)}
    environment |= {"HF_HUB_OFFLINE": before} if before else {}
    code += """
import os
from huggingface_hub import is_offline_mode
print(is_offline_mode(), os.environ["HF_HUB_OFFLINE"])
"""
    found = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == ["True", "1"]


def test_only_the_fetch_may_ask(hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    stay_offline()
    with pytest.raises(OfflineModeIsEnabled):
        get_session().get(hub.endpoint)
    with connected():
        get_session().get(hub.endpoint + "/api/models/someone/none")
    with pytest.raises(OfflineModeIsEnabled):
        get_session().get(hub.endpoint)
    assert len(hub.requests) == 1


def test_every_script_imports_the_package_that_forbids_it():
    """So no job can ask the network, whether the Makefile started it or not."""
    scripts = sorted(SCRIPTS.glob("*.py"))
    assert len(scripts) > 20
    for script in scripts:
        assert "from bakeoff" in script.read_text(), script.name
