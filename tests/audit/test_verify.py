"""Every claim of `bakeoff verify`: a finished study is spoilt in one way, which is found."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bakeoff.checked import read_checked, write_checked
from bakeoff.cli import main
from bakeoff.errors import BakeoffError
from bakeoff.files import sha256_of
from bakeoff.records import read_record, record_path
from bakeoff.tables import write_table
from bakeoff.verify import verify
from support.finished import put_index, put_job, put_study, put_vectors, put_weights
from support.tables import columns_of

Spoil = Callable[[Path], object]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The folder around results/, which holds a finished study s of encoders a and b."""
    put_study(tmp_path)
    return tmp_path


def exchange(one: Path, other: Path) -> None:
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)


def predictions_exchanged(study: Path) -> None:
    exchange(*(study / f"predictions/cv/ridge/{e}.parquet" for e in "ab"))
    put_record_again(study)


def methods_exchanged(study: Path) -> None:
    exchange(*(study / f"predictions/cv/{m}/a.parquet" for m in ("ridge", "svc")))
    put_record_again(study)


def others_embeddings(study: Path) -> None:
    shutil.copy(study / "embeddings/b.parquet", study / "embeddings/a.parquet")
    put_record_again(study)


def another_kind(study: Path) -> None:
    shutil.copy(study / "metrics/a.parquet", study / "texts/a.parquet")
    put_record_again(study)


def another_programs_table(study: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), study / "texts/a.parquet")
    put_record_again(study)


def a_pipe(study: Path) -> None:
    os.mkfifo(study / "embeddings/c.parquet")


def no_manifest(study: Path) -> None:
    (study / "manifest.parquet").unlink()
    put_record_again(study)


def no_record(study: Path) -> None:
    (study / "provenance.json").unlink()


def edited_record(study: Path) -> None:
    record = study / "provenance.json"
    record.write_text(record.read_text().replace('"cores": ', '"cores": 1'))


def another_studys_record(study: Path) -> None:
    content = read_checked(study / "provenance.json")
    write_checked(study / "provenance.json", content | {"study": "other"})


def incomplete_record(study: Path) -> None:
    content = read_checked(study / "provenance.json")
    del content["images"]
    write_checked(study / "provenance.json", content)


def tables_of_another_run(study: Path) -> None:
    changed_comparisons(study)
    put_records_again(study)


def older_than_a_table(study: Path) -> None:
    changed_comparisons(study)
    put_job(study.parents[1], "results/s/comparisons.parquet")
    put_provenance_again(study)


def changed_comparisons(study: Path) -> None:
    rows = columns_of("comparisons", {"study": "s"}) | {"note": ["changed"]}
    write_table(study / "comparisons.parquet", "comparisons", rows)


def changed_page(study: Path) -> None:
    (study / "summary.html").write_text("better numbers")


def changed_csv(study: Path) -> None:
    (study / "tables/results.csv").write_text("encoder,accuracy\na,1.0\n")


def missing_figure(study: Path) -> None:
    (study / "figures/accuracy.svg").unlink()


def csv_without_a_record(study: Path) -> None:
    record_path(study / "tables/results.csv").unlink()


def table_without_a_record(study: Path) -> None:
    record_path(study / "metrics/a.parquet").unlink()


def damaged_record(study: Path) -> None:
    record_path(study / "metrics/a.parquet").write_text("{")


def outdated_index(study: Path) -> None:
    rows = columns_of("embeddings", {})
    rows["embedding"] = rows["embedding"] + 1
    kept = record_path(study / "index/a").read_bytes()
    put_vectors(study.parents[1], "s", "embeddings", "a", rows)
    put_record_again(study)
    record_path(study / "index/a").write_bytes(kept)


def damaged_index(study: Path) -> None:
    vectors = study / "index/a/vectors.npy"
    vectors.write_bytes(vectors.read_bytes()[:-1] + b"\x01")


def another_encoders_index(study: Path) -> None:
    shutil.copytree(study / "index/a", study / "index/b")


def changed_weights(study: Path) -> None:
    weights = study.parents[1] / "resources/a/model.safetensors"
    weights.write_text("other weights")


def other_weights(study: Path) -> None:
    put_weights(study.parents[1] / "resources/b", "b", "of today")
    put_vectors(study.parents[1], "s", "embeddings", "b")
    put_vectors(study.parents[1], "s", "texts", "b")
    noted = read_checked(study / "provenance.json")["encoders"]
    put_record_again(study)
    content = read_checked(study / "provenance.json") | {"encoders": noted}
    write_checked(study / "provenance.json", content)


def embeddings_of_other_weights(study: Path) -> None:
    put_weights(study.parents[1] / "resources/b", "b", "of today")
    put_vectors(study.parents[1], "s", "texts", "b")
    put_record_again(study)


def texts_of_other_weights(study: Path) -> None:
    put_weights(study.parents[1] / "resources/b", "b", "of today")
    put_vectors(study.parents[1], "s", "embeddings", "b")
    put_record_again(study)


def changed_image(study: Path) -> None:
    (study.parents[1] / "images/1.png").write_bytes(b"another picture")


def missing_image(study: Path) -> None:
    (study.parents[1] / "images/1.png").unlink()


def put_record_again(study: Path) -> None:
    """All records made to agree with what lies there now, so that one check decides."""
    put_provenance_again(study)
    put_records_again(study)


def put_provenance_again(study: Path) -> None:
    content = read_checked(study / "provenance.json")
    paths = {name: study.parents[1] / name for name in content["tables"]}
    content["tables"] = {n: sha256_of(p) for n, p in paths.items() if p.exists()}
    for name, noted in content["encoders"].items():
        weights = study.parents[1] / name / "model.safetensors"
        noted["files"] = {weights.name: sha256_of(weights)}
    write_checked(study / "provenance.json", content)


def put_records_again(study: Path) -> None:
    for path in study.rglob(".*.record.json"):
        first = path.with_name(path.name[1:].removesuffix(".record.json"))
        record = read_record(first)
        assert record
        name = first.relative_to(study.parents[1]).as_posix()
        put_job(study.parents[1], name, *record.inputs)


CLAIMS: dict[Spoil, list[str]] = {
    predictions_exchanged: [
        r"ridge/a\.parquet: got .*encoder b.* expected .*encoder a",
        r"ridge/b\.parquet: got .*encoder a.* expected .*encoder b",
    ],
    methods_exchanged: [
        r"ridge/a\.parquet: got .*method svc.* expected .*method ridge",
        r"svc/a\.parquet: got .*method ridge.* expected .*method svc",
    ],
    others_embeddings: [r"embeddings/a\.parquet: got .*encoder b; .*encoder a"],
    another_kind: [r"texts/a\.parquet: got .*'metrics'; expected .*'texts'"],
    another_programs_table: [r"texts/a\.parquet: .*that bakeoff did not write"],
    a_pipe: [
        r"embeddings/c\.parquet: .*not a regular file",
        r"embeddings/c\.parquet: nothing says what it was made from",
    ],
    no_manifest: [r"s/manifest\.parquet: missing"],
    no_record: [r"s/provenance\.json: got no readable record"],
    edited_record: [r"s/provenance\.json: .*its checksum does not match"],
    another_studys_record: [r"s/provenance\.json: the record of study other"],
    incomplete_record: [r"s/provenance\.json: got a record without images"],
    tables_of_another_run: [
        r"comparisons\.parquet: other bytes than when the study ended",
    ],
    older_than_a_table: [
        rf"{name}: out of date: .* of results/s/comparisons\.parquet$"
        for name in (r"summary\.html", r"accuracy\.svg", r"results\.csv")
    ],
    changed_page: [r"summary\.html: other content than its job wrote"],
    changed_csv: [r"tables/results\.csv: other content than its job wrote"],
    missing_figure: [r"accuracy\.svg: missing"],
    csv_without_a_record: [r"results\.csv: nothing says what it was made from"],
    table_without_a_record: [r"a\.parquet: nothing says what it was made from"],
    damaged_record: [r"\.a\.parquet\.record\.json: a damaged record"],
    outdated_index: [r"index/a: out of date: .*embeddings/a\.parquet$"],
    damaged_index: [r"index/a: other content than its job wrote"],
    another_encoders_index: [r"index/b: nothing says what it was made from"],
    changed_weights: [r"resources/a: .*model\.safetensors differs from its SHA-256"],
    other_weights: [r"resources/b: other weights than when the study ended"],
    embeddings_of_other_weights: [r"embeddings/b\.parquet: made from other files"],
    texts_of_other_weights: [r"texts/b\.parquet: made from other files"],
    changed_image: [r"images/1\.png: other bytes than in the manifest"],
    missing_image: [r"images/1\.png: no such file"],
}


@pytest.mark.parametrize("spoil", CLAIMS, ids=lambda spoil: spoil.__name__)
def test_what_was_spoilt_is_found_and_nothing_else(spoil: Spoil, place: Path) -> None:
    spoil(place / "results/s")
    problems = verify(place / "results").problems
    assert len(problems) == len(CLAIMS[spoil]), problems
    for problem, expected in zip(problems, CLAIMS[spoil], strict=True):
        assert re.search(expected, problem), problem


def test_a_finished_study_matches_also_as_a_copy(place: Path, capsys) -> None:
    found = verify(place / "results")
    assert (found.tables, found.images, found.weights) == (13, 1, 2)
    assert found.problems == []
    (place / "results").rename(place / "kept")
    assert main(["verify", str(place / "kept")]) == 0
    assert "13 tables, 1 images and 2 folders" in capsys.readouterr().out


def test_an_index_may_be_built_again(place: Path) -> None:
    outdated_index(place / "results/s")
    put_index(place, "s", "a")
    assert verify(place / "results").problems == []


def test_two_studies_do_not_answer_for_each_other(place: Path) -> None:
    put_study(place, "t")
    assert verify(place / "results").problems == []
    exchange(*(place / f"results/{s}/comparisons.parquet" for s in "st"))
    exchange(*(place / f"results/{s}/provenance.json" for s in "st"))
    problems = "\n".join(verify(place / "results").problems)
    for study, other in ("st", "ts"):
        assert f"of study {other}; expected a table of study {study}" in problems
        assert f"/{study}/provenance.json: the record of study {other}" in problems


def test_an_unfinished_study_is_compared_by_its_tables(place: Path) -> None:
    no_record(place / "results/s")
    exchange(*(place / f"results/s/predictions/cv/ridge/{e}.parquet" for e in "ab"))
    problems = verify(place / "results").problems
    assert sum("exchanged" in line for line in problems) == 2


def test_a_study_behind_a_link_is_verified(place: Path) -> None:
    (place / "results/s").rename(place / "elsewhere")
    (place / "results/s").symlink_to(place / "elsewhere")
    assert verify(place / "results").tables == 13
    (place / "elsewhere/summary.html").write_text("x")
    assert len(verify(place / "results").problems) == 1


@pytest.mark.parametrize("unrelated", [".", "results/s", "images", "no", "empty"])
def test_an_unrelated_folder_is_refused(unrelated: str, place: Path) -> None:
    (place / "empty").mkdir()
    (place / "images/notes.parquet").write_bytes(b"not of bakeoff")
    with pytest.raises(BakeoffError, match="expected the folder results/"):
        verify(place / unrelated)


def test_a_pipe_or_device_in_the_record_is_never_read(place: Path) -> None:
    os.mkfifo(place / "pipe")
    content = read_checked(place / "results/s/provenance.json")
    content["tables"] |= {"pipe": "0" * 64, "/dev/zero": "0" * 64}
    write_checked(place / "results/s/provenance.json", content)
    problems = verify(place / "results").problems
    assert sum("not a regular file" in line for line in problems) == 2
