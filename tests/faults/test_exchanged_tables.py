"""A table that lies under another's path, or another encoder's vectors, stops its reader.

Every place of a table is tried by exchanging two whole tables of the same kind that
differ in one name: study, encoder, protocol, method, metric, shelf or shard.
"""

import json
import re
import string
from pathlib import Path

import pyarrow as pa
import pytest
from bakeoff import tables
from bakeoff.errors import BakeoffError
from bakeoff.indexing import build_index
from bakeoff.places import PLACES, place_of
from bakeoff.schemas import VERSION
from bakeoff.store import Shelf
from bakeoff.tables import describe, provenance, read_table, write_table
from metrics import metrics
from probe import probe
from retrieval import retrieval
from support.tables import columns_of, path_of, put_table

CASES = [
    (place, name)
    for place in PLACES
    for _, name, _, _ in string.Formatter().parse(place)
    if name
]


def names_of(place: str, **changed: str) -> dict[str, str]:
    fields = [name for _, name, _, _ in string.Formatter().parse(place) if name]
    return {name: f"{name}-1" for name in fields} | changed


def exchange(one: Path, other: Path) -> None:
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)


@pytest.mark.parametrize(("place", "name"), CASES)
def test_exchanged_tables_are_refused_by_name(
    place: str, name: str, tmp_path: Path
) -> None:
    results, kind = tmp_path / "results", PLACES[place]
    one = put_table(results, place, names_of(place))
    other = put_table(results, place, names_of(place, **{name: "other"}))
    for path in (one, other):
        assert read_table(path, kind).num_rows == 1
    exchange(one, other)
    for path, said, expected in (
        (one, "other", f"{name}-1"),
        (other, f"{name}-1", "other"),
    ):
        for read in (read_table, provenance):
            with pytest.raises(BakeoffError) as caught:
                read(path, kind)
            error = caught.value
            assert error.where == str(path)
            assert f"{name} {said}" in error.received
            assert f"{name} {expected}" in error.expected


def test_rows_that_contradict_their_path_are_refused(tmp_path: Path) -> None:
    place = "{study}/predictions/{protocol}/{method}/{encoder}.parquet"
    path = path_of(tmp_path / "results", place, names_of(place))
    rows = columns_of("predictions", names_of(place, encoder="other"))
    write_table(path, "predictions", rows)
    with pytest.raises(BakeoffError, match="encoder encoder-1 and other"):
        read_table(path, "predictions")


def test_a_table_from_nowhere_is_refused_in_a_place(tmp_path: Path) -> None:
    place = "{study}/embeddings/{encoder}.parquet"
    write_table(tmp_path / "t.parquet", "embeddings", columns_of("embeddings", {}))
    assert read_table(tmp_path / "t.parquet", "embeddings").num_rows == 1
    path = path_of(tmp_path / "results", place, names_of(place))
    path.parent.mkdir(parents=True)
    (tmp_path / "t.parquet").rename(path)
    with pytest.raises(BakeoffError, match="study none, encoder none"):
        read_table(path, "embeddings")


def test_the_results_may_be_copied_as_a_whole(tmp_path: Path) -> None:
    for place in PLACES:
        put_table(tmp_path / "results", place, names_of(place))
    (tmp_path / "results").rename(tmp_path / "kept")
    for place, kind in PLACES.items():
        path = path_of(tmp_path / "kept", place, names_of(place))
        assert read_table(path, kind).num_rows == 1
        said = describe(path, tmp_path / "kept")
        assert said and (said.kind, said.names) == (kind, names_of(place))


def test_every_table_that_a_rule_writes_has_a_place(repository: Path) -> None:
    text = "".join(p.read_text() for p in sorted((repository / "rules").glob("*.smk")))
    outputs = re.findall(r"^    output:\n((?:        .*\n)+)", text, re.MULTILINE)
    written = set(re.findall(r"results/([^\"]*\.parquet)\"", "".join(outputs)))
    probe_is_a_method = {path.replace("{probe}", "{method}") for path in written}
    zeroshot = "{study}/predictions/{protocol}/zeroshot/{encoder}.parquet"
    assert probe_is_a_method - {zeroshot} == PLACES.keys() - {
        "store/{shelf}/shards/{shard}.parquet"
    }
    found = place_of("results/" + zeroshot)
    assert found and found.names["method"] == "zeroshot"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """The folder of a study whose two encoders' embeddings have been exchanged."""
    folder = tmp_path / "results/s"
    for name in ("manifest", "folds/{protocol}"):
        put_table(tmp_path / "results", f"{{study}}/{name}.parquet",
                  {"study": "s", "protocol": "cv"})  # fmt: skip
    for kind in ("embeddings", "texts"):
        for encoder in ("a", "b"):
            place = f"{{study}}/{kind}/{{encoder}}.parquet"
            names = {"study": "s", "encoder": encoder}
            put_table(tmp_path / "results", place, names, encoder=encoder)
    exchange(folder / "embeddings/a.parquet", folder / "embeddings/b.parquet")
    return folder


def test_jobs_stop_at_another_encoders_embeddings(study: Path) -> None:
    vectors, manifest = study / "embeddings/a.parquet", study / "manifest.parquet"
    texts, new = study / "texts/a.parquet", study / "new.parquet"
    with pytest.raises(BakeoffError, match="says it is of study s, encoder b"):
        probe(
            embeddings=vectors,
            manifest=manifest,
            folds=study / "folds/cv.parquet",
            output_predictions=new,
            settings={"probe": {"kind": "ridge"}, "labels": "nominal", "seed": 1},
            study="s", protocol="cv", method="ridge", encoder="a",
        )  # fmt: skip
    with pytest.raises(BakeoffError, match="says it is of study s, encoder b"):
        retrieval(
            manifest=manifest,
            embeddings=[vectors],
            texts=[texts],
            output_retrieval=new,
            study="s",
        )
    assert not new.exists()


def test_metrics_stop_at_another_encoders_predictions(tmp_path: Path) -> None:
    place = "{study}/predictions/{protocol}/{method}/{encoder}.parquet"
    one, other = (
        put_table(tmp_path / "results", place, names_of(place, encoder=encoder))
        for encoder in ("a", "b")
    )
    one.write_bytes(other.read_bytes())
    place = "{study}/manifest.parquet"
    manifest = put_table(tmp_path / "results", place, names_of(place))
    paths = {"manifest": manifest, "output_metrics": tmp_path / "m.parquet"}
    with pytest.raises(BakeoffError, match=r"encoder b; expected .* encoder a"):
        metrics(predictions=[one], study="s", **paths)


def test_an_index_of_two_encoders_weights_is_refused(tmp_path: Path) -> None:
    tables = []
    for kind, weights in (("embeddings", "1"), ("texts", "2")):
        note = {"encoder": "a", "key": {"files": {"w": weights}}}
        write_table(tmp_path / kind, kind, columns_of(kind, {"image_id": "i"}), note)
        tables.append(read_table(tmp_path / kind, kind))
    manifest = pa.table(columns_of("manifest", {"image_id": "i"}))
    with pytest.raises(BakeoffError, match="vectors of one encoder"):
        build_index(
            tmp_path / "index", images=tables[0], manifest=manifest, texts=tables[1]
        )


def test_a_shard_of_another_shelf_is_refused(tmp_path: Path) -> None:
    shelves = [Shelf(tmp_path / "results/store", {"files": name}) for name in "ab"]
    for number, shelf in enumerate(shelves):
        shelf.add(["i"], columns_of("embeddings", {})["embedding"] + number)
    exchange(*(shelf.shards()[0] for shelf in shelves))
    for shelf in shelves:
        with pytest.raises(BakeoffError, match="says it is of shelf"):
            shelf.lacks(pa.array(["i"]))


def test_the_store_of_an_earlier_version_is_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its shards name no shelf; none of their vectors is encoded again."""
    shelf = Shelf(tmp_path / "results/store", {"files": "a"})
    with monkeypatch.context() as earlier:
        note = {"kind": "embeddings", "version": VERSION, "provenance": {}}
        metadata = {b"bakeoff": json.dumps(note).encode()}
        earlier.setattr(tables, "_note", lambda *_: metadata)
        shelf.add(["i"], columns_of("embeddings", {})["embedding"])
    assert shelf.lacks(pa.array(["i", "j"])).tolist() == [False, True]
