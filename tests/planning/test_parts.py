"""How many jobs share a study's images, and what is said where nobody can know."""

from pathlib import Path

import pytest
import yaml
from bakeoff.errors import BakeoffError
from bakeoff.tables import write_table
from planning.make import make_plan
from planning.parts import notes
from planning.plan import Plan

ROOT = Path(__file__).parents[2]


def plan(images_per_job: int | None) -> Plan:
    study = {"images": ".", "labels": "nominal"}
    return make_plan(
        {
            "encoders": ["tiny-clip", "tiny-random"],
            "studies": {"a": study, "b": {**study, "encoders": ["tiny-siglip"]}},
            "extraction": {"images_per_job": images_per_job},
        },
        ROOT,
    )


def write_manifest(study: str, images: int) -> None:
    names = [f"{i:064x}" for i in range(images)]
    columns = {"image_id": names, "path": names, "label": ["x"] * images}
    columns |= {"split": [""] * images, "width": [1] * images, "height": [1] * images}
    write_table(f"results/{study}/manifest.parquet", "manifest", columns)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_size_of_a_part_gives_their_number() -> None:
    write_manifest("a", 7)
    write_manifest("b", 3)
    parts = ["1of3", "2of3", "3of3"]
    assert notes(plan(3)) == [
        *(f"results/a/parts/tiny-clip/{part}.json" for part in parts),
        *(f"results/a/parts/tiny-random/{part}.json" for part in parts),
        "results/b/parts/tiny-siglip/1of1.json",
    ]


def test_what_is_composed_has_jobs_only_for_parts_that_nobody_embeds() -> None:
    """Both parts are asked for, or one of them."""
    entries = yaml.safe_load((ROOT / "config/encoders.yaml").read_text("utf-8"))
    for name, other in (("whole", "tiny-random"), ("half", "tiny-siglip")):
        entries[name] = {"derived": "concatenate", "of": ["tiny-clip", other]}
    Path("encoders.yaml").write_text(yaml.safe_dump(entries), encoding="utf-8")
    write_manifest("a", 1)
    config = {
        "catalogue": "encoders.yaml",
        "encoders": ["tiny-clip", "tiny-random", "whole", "half"],
        "studies": {"a": {"images": ".", "labels": "nominal"}},
    }
    found = [Path(note).parent.name for note in notes(make_plan(config, ROOT))]
    assert found == ["tiny-clip", "tiny-random", "half"]


def test_without_a_size_a_job_takes_all() -> None:
    assert [Path(note).name for note in notes(plan(None))] == ["1of1.json"] * 3


def test_without_a_manifest_the_error_says_what_to_do() -> None:
    with pytest.raises(BakeoffError, match=r"manifest\.parquet.*make spread"):
        notes(plan(3))


@pytest.mark.parametrize("size", [0, -1, 2.5, "many"])
def test_a_size_that_is_no_number_of_images_is_refused(size) -> None:
    with pytest.raises(
        BakeoffError, match=r"extraction\.images_per_job.*is not allowed"
    ):
        plan(size)
