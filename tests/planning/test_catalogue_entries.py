"""The catalogue: what is refused, and how entries made of others are completed."""

from pathlib import Path

import pytest
import yaml
from bakeoff.errors import BakeoffError
from planning.catalogue import read_catalogue, replaced_entries
from planning.config import load_schema
from planning.make import make_plan

ROOT = Path(__file__).parents[2]
SCHEMA = load_schema(ROOT / "config/schema.yaml")


def entry(**changes: object) -> dict:
    plain = {"loader": "openclip", "hub": "a/b", "resolution": 224, "dimension": 8}
    return {**plain, "parameters": 5.0, "licence": "MIT", **changes}


@pytest.fixture
def read(tmp_path: Path):
    def read(**entries: object) -> dict:
        path = tmp_path / "encoders.yaml"
        path.write_text(yaml.safe_dump(entries))
        return read_catalogue([path], SCHEMA)

    return read


@pytest.fixture
def refusal(read):
    def refusal(**entries: object) -> str:
        with pytest.raises(BakeoffError) as caught:
            read(**entries)
        return str(caught.value)

    return refusal


def test_the_catalogue_that_comes_along_is_sound() -> None:
    catalogue = read_catalogue([ROOT / "config/encoders.yaml"], SCHEMA)
    assert {"text", "parameters", "loader"} <= set.intersection(
        *map(set, catalogue.values())
    )


def test_derived_entries_take_after_their_parts(read) -> None:
    found = read(
        a=entry(),
        b=entry(text=False),
        both={"derived": "concatenate", "of": ["a", "b@96"]},
        tiles={"derived": "tiles", "of": ["a"]},
        nested={"derived": "concatenate", "of": ["a@448", "tiles"]},
        half={"derived": "interpolate", "of": ["a", "a"]},
    )
    assert (found["both"]["text"], found["nested"]["text"]) == (False, True)
    assert [found[n]["parameters"] for n in ("both", "tiles", "nested")] == [10, 5, 10]
    assert (
        found["half"]["loader"] == "openclip" and found["both"]["loader"] == "derived"
    )
    assert (found["tiles"]["tiles"], found["half"]["alpha"]) == (2, 0.5)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"derived": "concatenate", "of": ["a"]}, "x.of: 1 parts; concatenate needs 2"),
        ({"derived": "tiles", "of": ["a", "a"]}, "x.of: 2 parts; tiles needs 1"),
        ({"derived": "average", "of": ["a", "abb"]}, "'abb' is not defined"),
        ({"derived": "average", "of": ["a", "a+demo"]}, "'a+demo' is no entry"),
        ({"derived": "average", "of": ["a", "a@big"]}, "'a@big' is no entry"),
        ({"derived": "average", "of": ["a", "x"]}, "x.of: it would be made of itself"),
        ({"derived": "interpolate", "of": ["a", "a@96"]}, "'a@96' has no weights"),
        ({"derived": "concat", "of": ["a", "a"]}, "one of concatenate, average"),
        ({"derived": "average", "of": ["a", "a"], "tile": 3}, "did you mean 'tiles'?"),
        (entry(loader="keras"), "one of openclip, transformers, timm"),
        (entry(dimention=3), "did you mean 'dimension'?"),
        ({k: v for k, v in entry().items() if k != "licence"}, "missing 'licence'"),
        ({k: v for k, v in entry().items() if k != "hub"}, "missing 'hub'"),
        ("words", "expected object"),
    ],
)
def test_what_is_wrong_is_told_with_its_entry(refusal, wrong, words) -> None:
    message = refusal(a=entry(), x=wrong)
    assert words in message and "  x" in message


def test_circles_and_names_that_mean_something_else(refusal) -> None:
    message = refusal(
        **{"a@3": entry()},
        b={"derived": "tiles", "of": ["c"]},
        c={"derived": "tiles", "of": ["b"]},
    )
    assert "b.of: it would be made of itself" in message
    assert "c.of: it would be made of itself" in message
    assert "a@3: an id in the catalogue has no '@'" in message


@pytest.mark.parametrize("content", ["", "[]", "3"])
def test_a_file_without_entries(tmp_path, content) -> None:
    path = tmp_path / "encoders.yaml"
    path.write_text(content)
    with pytest.raises(BakeoffError, match="entries by their id"):
        read_catalogue([path], SCHEMA)


@pytest.fixture
def plan():
    demo = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    encoders = ["tiny-clip", "tiny-pair", "tiny-clip-scales@128", "tiny-random"]
    demo["studies"] = {"otoliths": demo["studies"]["otoliths"] | {"encoders": encoders}}
    return make_plan(demo, ROOT)


def test_a_derived_encoder_in_a_study(plan) -> None:
    assert plan.made_of("tiny-clip-scales") == ["tiny-clip", "tiny-clip@96"]
    assert plan.made_of("tiny-clip-scales@128") == ["tiny-clip@128", "tiny-clip@96"]
    assert plan.made_of("tiny-clip") == []
    assert plan.composed_of("otoliths", "tiny-pair") == ["tiny-clip"]
    assert plan.base_weights("tiny-pair") == "resources/derived/tiny-pair"
    assert plan.reads("otoliths", "tiny-pair")
    folders = plan.all_weights("otoliths")
    assert len(folders) == len(set(folders)) == 5
    assert sum(folder.endswith("tiny-siglip") for folder in folders) == 1


def test_encoders_that_zero_shot_leaves_out_are_named(plan) -> None:
    study = plan.study("otoliths")
    study["encoders"] = ["tiny-clip", "siglip2-and-dinov2", "dinov2-b-14@224"]
    assert plan.without_texts("otoliths") == study["encoders"][1:]
    study["prompts"] = None
    assert plan.without_texts("otoliths") == []


def test_an_own_catalogue_adds_and_its_entries_win(tmp_path) -> None:
    first, own = tmp_path / "first.yaml", tmp_path / "own.yaml"
    first.write_text(yaml.safe_dump({"a": entry(), "b": entry()}))
    own.write_text(yaml.safe_dump({"b": entry(dimension=9), "c": entry()}))
    found = read_catalogue([first, own], SCHEMA)
    assert [(name, e["dimension"]) for name, e in found.items()] == [
        ("a", 8),
        ("b", 9),
        ("c", 8),
    ]
    (line,) = replaced_entries([first, own])
    assert line == f"encoder b: the entry of {own} replaces that of {first}"
    own.write_text(yaml.safe_dump({"c": entry(loader="keras")}))
    with pytest.raises(BakeoffError, match=f"{own}.*\n  c.loader: .*keras"):
        read_catalogue([first, own], SCHEMA)


def test_an_own_catalogue_beside_the_shipped_one(tmp_path) -> None:
    demo = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump({"mine": entry(), "tiny-pair": entry()}))
    demo |= {"catalogue": str(own), "encoders": ["tiny-clip", "mine"], "control": None}
    plan = make_plan(demo, ROOT)
    assert plan.entry("mine")["hub"] == "a/b" and "tiny-siglip" in plan.catalogue
    (line,) = plan.remarks
    assert line.startswith("encoder tiny-pair: ")


@pytest.fixture
def folder(tmp_path) -> Path:
    """A plain folder of timm, with weights of 3 x 2 numbers."""
    place = tmp_path / "weights"
    place.mkdir()
    (place / "config.json").write_text('{"architecture": "x", "pretrained_cfg": {}}')
    header = b'{"w": {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 24]}}'
    start = len(header).to_bytes(8, "little")
    (place / "model.safetensors").write_bytes(start + header + bytes(24))
    return place


def test_three_lines_are_an_entry(folder, tmp_path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(f"mine:\n  folder: {folder}\n  licence: MIT\n")
    found = read_catalogue([path], SCHEMA)["mine"]
    assert (found["loader"], found["text"]) == ("timm", False)
    assert found["parameters"] == pytest.approx(6e-6)
    assert set(found["files"]) == {"config.json", "model.safetensors"}


def test_what_a_folder_lacks_is_told_with_everything_else(folder, refusal) -> None:
    (folder / "model.safetensors").unlink()
    message = refusal(
        mine={"folder": str(folder)},
        gone={"folder": str(folder / "gone")},
        wrong={"derived": "tiles", "of": ["nothing"]},
    )
    assert "mine.folder: " in message and "without weights (model.safetens" in message
    assert "gone.folder: " in message and "no such folder" in message
    assert "wrong.of: 'nothing' is not defined" in message


def test_a_folder_with_a_description_is_taken_as_it_is(read) -> None:
    folder = ROOT / "resources/encoders/tiny-clip"
    found = read(mine={"folder": str(folder)})["mine"]
    assert (found["loader"], found["dimension"], found["text"]) == (
        "openclip",
        128,
        True,
    )
    assert "files" not in found and found["licence"] == "not stated"
