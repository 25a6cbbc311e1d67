"""No network for the libraries that load encoders.

`huggingface_hub` reads HF_HUB_OFFLINE once, when it is imported; afterwards its own
constant counts. Both are set here: for a library imported later, in this process or in
one that it starts, and for one imported before.
"""

import contextlib
import os
import sys
from collections.abc import Iterator


def stay_offline() -> None:
    """Forbid the hub's client the network in this process and in those it starts."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    if "huggingface_hub.constants" in sys.modules:
        from huggingface_hub import constants

        constants.HF_HUB_OFFLINE = True


@contextlib.contextmanager
def online() -> Iterator[None]:
    """The hub's client allowed to use the network; only the fetch of weights needs it."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = False
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
