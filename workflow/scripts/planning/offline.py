"""Which encoders a first configuration can name: those whose weights can be had here."""

import os
import urllib.error
import urllib.request
from pathlib import Path

from bakeoff.documents import read_yaml

USUAL = ("clip-vit-b-32", "siglip-b-16-224")
_CATALOGUE = Path(__file__).parents[3] / "config/encoders.yaml"
_PATIENCE_S = 5


def first_encoders() -> tuple[str, ...]:
    """The usual two; without a network, and unless both were fetched, those shipped."""
    fetched = all(Path(f"resources/weights/{e}/encoder.json").is_file() for e in USUAL)
    return USUAL if fetched or hub_answers() else shipped()


def shipped() -> tuple[str, ...]:
    """The first two encoders that come with bakeoff, which need no network."""
    entries = read_yaml(_CATALOGUE)
    return tuple(name for name, entry in entries.items() if entry.get("folder"))[:2]


def hub_answers() -> bool:
    """Whether the hub of weights can be reached, directly or through a proxy."""
    address = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    try:
        request = urllib.request.Request(address, method="HEAD")
        with urllib.request.urlopen(request, timeout=_PATIENCE_S):
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False
