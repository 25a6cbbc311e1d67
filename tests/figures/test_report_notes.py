"""What a page says about a study besides its numbers."""

from types import SimpleNamespace

import pyarrow as pa
import pytest
from bakeoff.paper_tables import costs_sheet
from bakeoff.report import _notes
from bakeoff.schemas import SCHEMAS

NOTHING = {"synthetic": False, "finetuned": [], "without_texts": [], "protocols": {}}


def notes(spread: tuple[float, float] = (0.02, 0.25), **settings: object) -> list[str]:
    costs = pa.table({"encoder": ["quiet", "noisy"], "spread": spread})
    manifest = pa.table({"image_id": ["a"], "group": ["g"]})
    quarantine = pa.table({"path": pa.array([], pa.string())})
    return _notes(
        SimpleNamespace(
            settings=NOTHING | settings,
            manifest=manifest,
            quarantine=quarantine,
            costs=costs,
        )
    )


def test_nothing_to_say() -> None:
    assert notes() == []


def test_encoders_without_texts_are_named() -> None:
    (note,) = notes(without_texts=["dinov2-l-14", "dinov3-l-16"])
    assert note.startswith("Without zero-shot classification")
    assert note.endswith("dinov2-l-14, dinov3-l-16.")


def test_a_busy_machine_is_named_with_what_it_slowed() -> None:
    (note,) = notes(spread=(0.1, 0.456))
    assert "rounds of noisy differed by up to 46 %" in note
    assert "Delete costs.parquet" in note


def test_the_table_of_costs_says_how_far_the_rounds_differed() -> None:
    row = {name: [1, 1] for name in SCHEMAS["costs"].names}
    row |= {"encoder": ["quiet", "noisy"], "device": ["cpu"] * 2}
    row |= {"precision": ["fp32"] * 2, "spread": [0.02, 0.5]}
    sheet = costs_sheet(pa.table(row))
    place = [c.heading for c in sheet.columns].index("Spread of rounds (%)")
    assert [line[place].raw[0] for line in sheet.rows] == pytest.approx([0.02, 0.5])
    assert "rounds of noisy differed by up to 50 %" in sheet.caption


def test_more_repeats_are_said_to_help_or_not() -> None:
    """Of 10 folds, 1 / R + 10 / 9: from 1 repeat on 27 %, from 10 on 4 %."""
    assert notes(
        protocols={
            "once": {"kind": "kfold", "folds": 10, "repeats": 1},
            "often": {"kind": "kfold", "folds": 10, "repeats": 10},
            "fixed": {"kind": "split"},
        }
    ) == [
        "once: more repeats narrow its intervals by 27 % at most.",
        "often: more repeats narrow its intervals by 4 % at most; they no longer sharpen "
        "the answer.",
    ]
