"""From folders and labels files to a manifest; every kind of bad input."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bakeoff.errors import BakeoffError
from bakeoff.images import sha256_of
from bakeoff.manifest import build_manifest
from bakeoff.tables import read_table, write_table
from PIL import Image

Put = Callable[..., Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Writes a small picture, all pictures of one number being equal."""

    def put(path: str, number: int) -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (4, 6, 3), np.uint8)
        Image.fromarray(pixels).save(file, "PNG")
        return file

    return put


@pytest.fixture
def divided(put: Put, tmp_path: Path) -> Path:
    """Two classes, two training and one test image each."""
    for i, name in enumerate(("cat", "dog")):
        put(f"train/{name}/a.png", 10 * i)
        put(f"train/{name}/b.png", 10 * i + 1)
        put(f"test/{name}/c.png", 10 * i + 2)
    return tmp_path


def test_divided_folders(divided):
    manifest, quarantine = build_manifest(divided, threads=2)
    assert manifest["path"] == sorted(manifest["path"])
    assert manifest["label"] == ["cat", "dog", "cat", "cat", "dog", "dog"]
    assert manifest["split"] == ["test"] * 2 + ["train"] * 4
    assert manifest["image_id"][0] == sha256_of(divided / "test/cat/c.png")
    assert set(manifest["width"]) == {6} and set(manifest["height"]) == {4}
    assert manifest["group"] == [None] * 6 and manifest["value"] == [None] * 6
    assert quarantine == {"path": [], "reason": []}


def test_columns_make_tables(divided, tmp_path):
    manifest, quarantine = build_manifest(divided)
    write_table(tmp_path / "m.parquet", "manifest", manifest)
    write_table(tmp_path / "q.parquet", "quarantine", quarantine)
    assert read_table(tmp_path / "m.parquet", "manifest").num_rows == 6
    assert read_table(tmp_path / "q.parquet", "quarantine").num_rows == 0


def test_plain_folders_nest_and_keep_odd_names(put, tmp_path):
    put("hunde & 'katzen'/sub \"x\"/a\nb.png", 1)
    put("日本 語/ü.png", 2)
    manifest, _ = build_manifest(tmp_path)
    assert manifest["label"] == ["hunde & 'katzen'", "日本 語"]
    assert manifest["path"][0] == "hunde & 'katzen'/sub \"x\"/a\nb.png"
    assert manifest["split"] == ["", ""]


def test_two_spellings_of_one_letter_are_one_class(put, tmp_path):
    put("train/caf\u00e9/a.png", 1)
    put("test/cafe\u0301/b.png", 2)
    put("train/tea/a.png", 3)
    put("test/tea/b.png", 4)
    manifest, _ = build_manifest(tmp_path)
    assert manifest["label"].count("caf\u00e9") == 2


def test_a_class_may_be_called_train(put, tmp_path):
    put("train/a.png", 1)
    put("bus/a.png", 2)
    manifest, _ = build_manifest(tmp_path)
    assert manifest["label"] == ["bus", "train"] and manifest["split"] == ["", ""]


def test_hidden_and_side_files_are_passed_over(divided):
    for name in (".DS_Store", "Thumbs.db", "notes.txt", "labels.csv", ".hidden.png"):
        (divided / "train/cat" / name).write_text("x")
    (divided / "README.md").write_text("x")
    (divided / ".git").mkdir()
    (divided / "__MACOSX/cat").mkdir(parents=True)
    assert len(build_manifest(divided)[0]["path"]) == 6


def test_links_are_followed(divided, put, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "x"
    outside.mkdir()
    put("train/cat/a.png", 55).rename(outside / "y.png")
    (divided / "train/cat/a.png").symlink_to(outside / "y.png")
    (divided / "train/dog/more").symlink_to(outside / "z")
    (outside / "z").mkdir()
    Image.new("RGB", (3, 3), "red").save(outside / "z/red.png")
    manifest, _ = build_manifest(divided)
    assert {"train/cat/a.png", "train/dog/more/red.png"} <= set(manifest["path"])
    (outside / "z/again").symlink_to(outside / "z")
    with pytest.raises(BakeoffError, match="holds it"):
        build_manifest(divided)


def broken(folder: Path) -> dict[str, str]:
    """Files that are no images in train/cat, and why."""
    target = folder / "train/cat"
    (target / "empty.jpg").touch()
    (target / "words.jpg").write_text("words")
    (target / "cut.png").write_bytes((target / "a.png").read_bytes()[:60])
    (target / "gone.png").symlink_to(folder / "nowhere")
    (target / "film.mp4").write_bytes(b"\0\0\0\x20ftypisom")
    return {
        "cut.png": "damaged",
        "empty.jpg": "empty",
        "film.mp4": "not an image",
        "gone.png": "no such file",
        "words.jpg": "not an image",
    }


def test_unreadable_files_stop_and_are_all_named(divided):
    reasons = broken(divided)
    with pytest.raises(BakeoffError) as error:
        build_manifest(divided)
    for name, reason in reasons.items():
        assert name in str(error.value) and reason in str(error.value)


def test_unreadable_files_go_to_the_quarantine(divided):
    reasons = broken(divided)
    manifest, quarantine = build_manifest(divided, on_unreadable="quarantine")
    assert len(manifest["path"]) == 6
    assert [Path(path).name for path in quarantine["path"]] == sorted(reasons)
    for path, words in zip(quarantine["path"], quarantine["reason"], strict=True):
        assert reasons[Path(path).name] in words


def test_devices_and_fifos_are_refused_and_never_opened(divided):
    (divided / "train/cat/null.png").symlink_to("/dev/null")
    manifest, quarantine = build_manifest(divided, on_unreadable="quarantine")
    assert quarantine["reason"] == ["not a regular file"]
    os.mkfifo(divided / "test/dog/pipe.png")
    with pytest.raises(BakeoffError) as caught:
        build_manifest(divided)
    for name in ("null", "pipe"):
        assert f"{name}.png': not a regular file" in str(caught.value)
    again, quarantine = build_manifest(divided, on_unreadable="quarantine")
    assert again == manifest and len(quarantine["path"]) == 2


def test_pixel_limit(divided):
    with pytest.raises(BakeoffError, match="6 x 4 pixels"):
        build_manifest(divided, pixel_limit=23)


def test_names_that_are_not_utf8(divided):
    data = (divided / "train/cat/a.png").read_bytes()
    name = b"train/cat/\xff.png".decode("utf-8", "surrogateescape")
    (divided / name).write_bytes(data)
    _, quarantine = build_manifest(divided, on_unreadable="quarantine")
    assert quarantine["path"] == [r"train/cat/\udcff.png"]
    with pytest.raises(BakeoffError, match="not valid UTF-8") as error:
        build_manifest(divided)
    str(error.value).encode()


def test_the_same_image_twice_is_kept_once(divided, put):
    put("train/cat/z.png", 0)
    manifest, quarantine = build_manifest(divided)
    assert len(manifest["path"]) == 6
    assert quarantine["path"] == ["train/cat/z.png"]
    assert quarantine["reason"] == ["the same image as train/cat/a.png"]


def test_the_same_image_under_two_labels_or_splits_stops(divided, put):
    put("train/dog/like_cat.png", 0)
    put("test/cat/like_train.png", 1)
    with pytest.raises(BakeoffError) as error:
        build_manifest(divided)
    text = str(error.value)
    assert "2 images that are there twice" in text
    assert "label 'cat' and 'dog'" in text and "split 'test' and 'train'" in text


@pytest.mark.parametrize(
    ("remove", "message"),
    [
        ("test/dog/c.png", "class folders without images: .'dog'"),
        ("test/dog", "'dog' in test"),
        ("test", "'train'.*expected train and test"),
    ],
)
def test_a_class_missing_on_one_side(divided, remove, message):
    path = divided / remove
    for file in [path] if path.is_file() else sorted(path.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    if path.is_dir():
        path.rmdir()
    with pytest.raises(BakeoffError, match=message):
        build_manifest(divided)


def test_a_class_lost_to_the_quarantine_is_missed(divided):
    (divided / "test/dog/c.png").write_text("words")
    with pytest.raises(BakeoffError, match="'dog' in test"):
        build_manifest(divided, on_unreadable="quarantine")


def test_folders_of_other_forms(divided, put, tmp_path_factory):
    put("val/cat/a.png", 77)
    with pytest.raises(BakeoffError, match="Merge it into train/"):
        build_manifest(divided)
    empty = tmp_path_factory.mktemp("empty")
    with pytest.raises(BakeoffError, match="without images"):
        build_manifest(empty)
    with pytest.raises(BakeoffError, match="no such folder"):
        build_manifest(empty / "nowhere")


def test_images_outside_class_folders(divided, put):
    put("train/loose.png", 78)
    with pytest.raises(BakeoffError, match=r"loose\.png"):
        build_manifest(divided)


def test_one_class_is_not_a_study(put, tmp_path):
    put("only/a.png", 1)
    with pytest.raises(BakeoffError, match="at least two classes"):
        build_manifest(tmp_path)


def test_groups_from_paths(put, tmp_path):
    put("train/cat/s1_a.png", 1)
    put("train/dog/s2_a.png", 2)
    put("test/cat/s3_a.png", 3)
    put("test/dog/s1_b.png", 4)
    with pytest.raises(BakeoffError, match=r"1 groups .*'1'"):
        build_manifest(tmp_path, group_pattern=r"s(\d)_")
    with pytest.raises(BakeoffError, match="4 paths without a group"):
        build_manifest(tmp_path, group_pattern=r"slide(\d)")
    with pytest.raises(BakeoffError, match="parentheses"):
        build_manifest(tmp_path, group_pattern=r"s\d")
    with pytest.raises(BakeoffError, match="regular expression"):
        build_manifest(tmp_path, group_pattern="(")
    manifest, _ = build_manifest(tmp_path, group_pattern=r"(x?)(?P<group>t\w+/\w+)")
    assert manifest["group"] == ["test/cat", "test/dog", "train/cat", "train/dog"]


def test_ordinal_folders_are_numbers(put, tmp_path):
    for i, name in enumerate(("3", "03", "12", "2.50", "-1")):
        put(f"{name}/x.png", i)
    manifest, _ = build_manifest(tmp_path, labels="ordinal", clip=(0, 10))
    labels = dict(zip(manifest["path"], manifest["label"], strict=True))
    assert labels == {
        "3/x.png": "3",
        "03/x.png": "3",
        "12/x.png": "10",
        "2.50/x.png": "2.5",
        "-1/x.png": "0",
    }
    assert sorted(manifest["value"]) == [0.0, 2.5, 3.0, 3.0, 10.0]
    put("old/x.png", 9)
    put("nan/x.png", 10)
    with pytest.raises(BakeoffError, match="2 labels that are no finite numbers"):
        build_manifest(tmp_path, labels="ordinal")


def test_labels_file(put, tmp_path):
    put("images/one, two.png", 1)
    put('images/b\n"c".png', 2)
    file = tmp_path / "labels.csv"
    file.write_text(
        '\ufeffpath,label,group,note\n"one, two.png",4.0,g,x\n"b\n""c"".png", 7,h,\n',
        encoding="utf-8",
    )
    manifest, _ = build_manifest(
        tmp_path / "images", labels_file=file, labels="ordinal"
    )
    assert manifest["path"] == ['b\n"c".png', "one, two.png"]
    assert manifest["label"] == ["7", "4"] and manifest["group"] == ["h", "g"]


def test_labels_file_without_a_folder_and_parquet(put, tmp_path):
    file = put("data/x/a.png", 1)
    put("data/x/b.png", 2)
    table = pa.table(
        {"path": [str(file), "x/b.png"], "label": [1, 2], "split": [None, None]}
    )
    pq.write_table(table, tmp_path / "data/labels.parquet")
    manifest, _ = build_manifest(None, labels_file=tmp_path / "data/labels.parquet")
    assert manifest["path"] == ["x/a.png", "x/b.png"]
    assert manifest["label"] == ["1", "2"] and manifest["split"] == ["", ""]


def test_labels_file_states_the_bytes(put, tmp_path):
    right = sha256_of(put("a.png", 1))
    put("b.png", 2)
    put("c.png", 3)
    file = tmp_path / "l.csv"
    file.write_text(f"path,label,sha256\na.png,x,{right}\nb.png,y,\nc.png,y,{right}\n")
    with pytest.raises(BakeoffError, match=r"'c\.png': its bytes differ"):
        build_manifest(tmp_path, labels_file=file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no rows"),
        ("path,label\n", "no rows"),
        ("file,label\na.png,x\n", "without .'path'"),
        ("path;label\na.png;x\n", "separated by commas"),
        ("path,label\na.png,\n,x\n", "row 2: no label; row 3: no path"),
        ("path,label,split\na.png,x,val\n", "split 'val' in 1 rows"),
        ("path,label,split\na.png,x,train\nb.png,x,\n", "no split in 1 of 2"),
        ("path,label,group\na.png,x,g\nb.png,x,\n", "no group in 1 of 2"),
        ("path,label\na.png,x\n./a.png,x\n", r"'a\.png' in 2 rows"),
        ("path,label\n../a.png,x\n", "outside"),
        ("path,label\n/etc/passwd,x\n", "outside"),
        ("path,label\na.png,x,y,z\n", "longer than the header: 2"),
        ('path,label\n"a.png,x\n', "cannot be read"),
    ],
)
def test_damaged_labels_files(tmp_path, text, message):
    file = tmp_path / "labels.csv"
    file.write_text(text)
    with pytest.raises(BakeoffError, match=message):
        build_manifest(tmp_path, labels_file=file)


def test_missing_labels_file(tmp_path):
    with pytest.raises(BakeoffError, match="no such file"):
        build_manifest(tmp_path, labels_file=tmp_path / "labels.csv")
    with pytest.raises(BakeoffError, match="cannot be read"):
        build_manifest(tmp_path, labels_file=tmp_path / "labels.parquet")


def test_nothing_is_lost(divided, put):
    """Rows in = rows out + quarantine."""
    broken(divided)
    put("train/dog/again.png", 10)
    manifest, quarantine = build_manifest(divided, on_unreadable="quarantine")
    files = {
        path.relative_to(divided).as_posix()
        for path in divided.rglob("*")
        if not path.is_dir()
    }
    assert sorted(manifest["path"] + quarantine["path"]) == sorted(files)


def test_a_picture_too_narrow_to_resize_goes_to_quarantine(put, tmp_path):
    put("cat/a.png", 1), put("dog/a.png", 2)
    Image.new("L", (65500, 1)).save(tmp_path / "dog/strip.png")
    manifest, quarantine = build_manifest(tmp_path, on_unreadable="quarantine")
    assert manifest["path"] == ["cat/a.png", "dog/a.png"]
    assert quarantine["path"] == ["dog/strip.png"]
    assert "too narrow" in quarantine["reason"][0]


def test_names_that_are_not_utf8_never_break_a_message(put, tmp_path):
    put("cat/a.png", 1)
    put(os.fsdecode(b"b\xe9r/a.png"), 2)
    with pytest.raises(BakeoffError) as caught:
        build_manifest(tmp_path, group_pattern=r"(\d+)")
    assert "udce9" in str(caught.value).encode("utf-8").decode()


@pytest.mark.parametrize("repeated", ["path", "label", "group"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_column_that_stands_twice_is_refused(put, tmp_path, repeated, kind):
    put("a.png", 1)
    file = tmp_path / f"labels.{kind}"
    names = ["path", "label", "group", repeated, "mine", "mine"]
    cells = ["a.png", "x", "g", "y", "1", "2"]
    if kind == "csv":
        file.write_text("\n".join([",".join(names), ",".join(cells)]))
    else:
        pq.write_table(pa.table([pa.array([c]) for c in cells], names=names), file)
    with pytest.raises(BakeoffError, match=f"stand twice: {repeated};"):
        build_manifest(tmp_path, labels_file=file)
