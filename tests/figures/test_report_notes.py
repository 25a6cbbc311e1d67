"""What a page says about a study besides its numbers."""

from types import SimpleNamespace

import pyarrow as pa
from bakeoff.report import _notes

NOTHING = {"synthetic": False, "finetuned": [], "without_texts": []}


def notes(**settings: object) -> list[str]:
    manifest = pa.table({"image_id": ["a"], "group": ["g"]})
    quarantine = pa.table({"path": pa.array([], pa.string())})
    return _notes(
        SimpleNamespace(
            settings=NOTHING | settings, manifest=manifest, quarantine=quarantine
        )
    )


def test_nothing_to_say() -> None:
    assert notes() == []


def test_encoders_without_texts_are_named() -> None:
    (note,) = notes(without_texts=["dinov2-l-14", "dinov3-l-16"])
    assert note.startswith("Without zero-shot classification")
    assert note.endswith("dinov2-l-14, dinov3-l-16.")
