"""From a manifest to embeddings: right, in step, made once, resumable."""

import json
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from bakeoff.encoders.openclip import OpenClip
from bakeoff.errors import BakeoffError
from bakeoff.extract import (
    extract_images,
    extract_texts,
    fill_store,
    write_embeddings,
)
from bakeoff.tables import provenance, read_table, vectors, write_table
from PIL import Image


@pytest.fixture
def run(images, manifest, encoder_folder, tmp_path):
    """extract_images with small numbers, on the folder as it is now."""

    def run(**changes):
        options = {
            "encoder_id": "small",
            "store": tmp_path / "store",
            "device": "cpu",
            "precision": "fp32",
            "batch_size": 4,
            "threads": 2,
            "shard_size": 4,
            "progress": False,
        }
        folder = changes.pop("encoder_folder", encoder_folder)
        table = changes.pop("manifest") if "manifest" in changes else manifest()
        return extract_images(table, images, folder, **(options | changes))

    return run


@pytest.fixture
def encoded(monkeypatch) -> list[int]:
    """Sizes of the batches that any encoder is given from here on."""
    sizes: list[int] = []
    original = OpenClip.encode_images

    def counted(self, batch):
        sizes.append(len(batch))
        return original(self, batch)

    monkeypatch.setattr(OpenClip, "encode_images", counted)
    # Not counted: the one blank picture that tells whether the dimension is right.
    for name in (
        "bakeoff.encoders.dimension_of",
        "bakeoff.encoders.check.dimension_of",
    ):
        monkeypatch.setattr(name, lambda encoder: encoder.dimension)
    return sizes


def plain_loop(folder: Path, images: Path, paths: list[str]) -> np.ndarray:
    model, transform = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    inputs = [transform(Image.open(images / path)) for path in paths]
    with torch.no_grad():
        return model.eval().encode_image(torch.stack(inputs)).numpy()


def test_vectors_equal_a_plain_open_clip_loop(run, manifest, images, encoder_folder):
    table, _ = run()
    rows = manifest().sort_by("image_id")
    assert table["image_id"].to_pylist() == rows["image_id"].to_pylist()
    expected = plain_loop(encoder_folder, images, rows["path"].to_pylist())
    np.testing.assert_allclose(vectors(table), expected, atol=1e-6)


def test_a_table_says_what_made_it(run, tmp_path):
    table, origin = run()
    write_table(tmp_path / "e.parquet", "embeddings", table, origin)
    assert read_table(tmp_path / "e.parquet", "embeddings").num_rows == 9
    told = provenance(tmp_path / "e.parquet", "embeddings")
    assert told["encoder"] == "small" and told["key"]["precision"] == "fp32"
    assert told["dimension"] == 16 and told["logit_bias"] is None
    assert told["logit_scale"] == pytest.approx(1 / 0.07)


def test_written_in_blocks(run, images, manifest, encoder_folder, tmp_path):
    whole, origin = run()
    path = tmp_path / "e.parquet"
    options = {"encoder_id": "small", "store": tmp_path / "store"}
    options |= {"precision": "fp32", "progress": False}
    write_embeddings(path, manifest(), images, encoder_folder, **options)
    table = read_table(path, "embeddings")
    assert table["image_id"].to_pylist() == whole["image_id"].to_pylist()
    np.testing.assert_array_equal(vectors(table), vectors(whole))
    assert provenance(path, "embeddings") == json.loads(json.dumps(origin))
    write_embeddings(path, manifest().slice(0, 0), images, encoder_folder, **options)
    assert read_table(path, "embeddings")["embedding"].type.list_size == 16


def test_nothing_new_encodes_nothing_and_gives_the_same(run, encoded):
    first, origin = run()
    assert encoded == [4, 4, 1]
    second, again = run()
    assert encoded == [4, 4, 1] and second.equals(first) and again == origin


def test_only_images_never_seen_are_encoded(run, encoded, add_image, images):
    before, _ = run()
    encoded.clear()
    add_image(100)
    (images / "odd/1.png").unlink()
    after, _ = run()
    assert encoded == [1] and after.num_rows == 9
    old = dict(zip(*(before[c].to_pylist() for c in before.column_names), strict=True))
    for name, vector in zip(
        *(after[c].to_pylist() for c in after.column_names), strict=True
    ):
        assert old.get(name, vector) == vector


def test_names_and_labels_are_no_reason_to_encode(run, encoded, images):
    run()
    encoded.clear()
    shutil.move(images / "odd/1.png", images / "even/renamed.png")
    run()
    assert encoded == []


@pytest.mark.parametrize("change", [{"precision": "bf16"}, {"resolution": 32}])
def test_another_key_encodes_everything(run, encoded, change):
    run()
    encoded.clear()
    _, origin = run(**change)
    assert sum(encoded) == 9
    assert change.items() <= origin["key"].items()


def test_changed_weights_encode_everything(run, encoded, save_encoder, tmp_path):
    run()
    encoded.clear()
    table, _ = run(encoder_folder=save_encoder(tmp_path / "other", seed=1))
    assert sum(encoded) == 9
    assert not np.allclose(vectors(table), vectors(run()[0]))


def test_a_job_that_dies_loses_one_shard(run, encoded, tmp_path, monkeypatch):
    whole, _ = run(store=tmp_path / "undisturbed")
    encoded.clear()
    counted = OpenClip.encode_images

    def dies(self, batch):
        if sum(encoded) >= 4:
            raise KeyboardInterrupt
        return counted(self, batch)

    monkeypatch.setattr(OpenClip, "encode_images", dies)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert encoded == [4]
    monkeypatch.setattr(OpenClip, "encode_images", counted)
    resumed, _ = run()
    assert encoded == [4, 4, 1]
    assert resumed.equals(whole)
    names = sorted(p.name for p in (tmp_path / "store").rglob("shards/*"))
    assert names == sorted(p.name for p in (tmp_path / "undisturbed").rglob("shards/*"))


def test_parts_add_up_to_the_whole(run, tmp_path):
    parts = [run(part=(i, 3), store=tmp_path / "parts")[0] for i in range(3)]
    assert sum(part.num_rows for part in parts) == 9
    assert sum(part.num_rows == 0 for part in parts) < 3
    joined, _ = run(store=tmp_path / "parts")
    np.testing.assert_allclose(vectors(joined), vectors(run()[0]), atol=1e-6)


def test_jobs_for_parts_leave_nothing_for_the_last_one(
    images, manifest, encoder_folder, tmp_path, monkeypatch
):
    """Alone in its batch an image has the same vector, bit by bit, in any part."""
    options = {"encoder_id": "small", "batch_size": 1, "precision": "fp32"}
    options |= {"device": "cpu", "progress": False}
    given = (manifest(), images, encoder_folder)
    apart, whole = tmp_path / "apart.parquet", tmp_path / "whole.parquet"
    write_embeddings(whole, *given, store=tmp_path / "whole", **options)
    notes = [
        fill_store(*given, store=tmp_path / "parts", part=(i, 3), **options)
        for i in (2, 0, 1)
    ]
    assert sum(note["images"] for note in notes) == 9
    assert all(note["new"] == note["images"] for note in notes)
    again = fill_store(*given, store=tmp_path / "parts", part=(2, 3), **options)
    assert again == {"images": notes[0]["images"], "new": 0}
    monkeypatch.setattr(OpenClip, "encode_images", None)  # nothing is left to encode
    write_embeddings(apart, *given, store=tmp_path / "parts", **options)
    assert apart.read_bytes() == whole.read_bytes()


def test_memory_that_ends_halves_the_batch(run, tmp_path, monkeypatch):
    original, sizes = OpenClip.encode_images, []

    def small_memory(self, batch):
        if len(batch) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        sizes.append(len(batch))
        return original(self, batch)

    expected, _ = run()
    monkeypatch.setattr(OpenClip, "encode_images", small_memory)
    table, _ = run(store=tmp_path / "small memory", shard_size=9)
    # Nine images, and the blank picture that tells the dimension.
    assert max(sizes) == 2 and sum(sizes) == 9 + 1
    np.testing.assert_allclose(vectors(table), vectors(expected), atol=1e-6)

    def no_memory(self, batch):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(OpenClip, "encode_images", no_memory)
    with pytest.raises(BakeoffError, match="too little memory"):
        run(resolution=32)


def test_images_that_changed_since_the_manifest(run, manifest, images, add_image):
    table = manifest()
    add_image(50).replace(images / "odd/1.png")
    with pytest.raises(BakeoffError, match=r"odd/1\.png.*changed since the manifest"):
        run(manifest=table)
    (images / "odd/1.png").unlink()
    with pytest.raises(BakeoffError, match="no such file"):
        run(manifest=table)


def test_no_images(run, manifest):
    table, origin = run(manifest=manifest().slice(0, 0))
    assert table.num_rows == 0 and table["embedding"].type.list_size == 16
    assert origin["dimension"] == 16


def test_auto_precision_is_settled_once(run, encoded, tmp_path, monkeypatch):
    _, origin = run(precision="auto", device="auto")
    assert origin["key"]["precision"] == "fp32"
    monkeypatch.setattr("bakeoff.encoders.hardware.probe_precision", lambda *_: "bf16")
    encoded.clear()
    _, again = run(precision="auto")
    assert again == origin and encoded == []
    _, other = run(precision="auto", store=tmp_path / "elsewhere")
    assert other["key"]["precision"] == "bf16"


def test_nothing_new_never_imports_torch(run, images, encoder_folder, tmp_path):
    run(precision="auto")
    code = f"""
import sys
from pathlib import Path
import pyarrow as pa
from bakeoff.extract import extract_images, extract_texts
from bakeoff.manifest import build_manifest
columns, _ = build_manifest(Path({str(images)!r}))
manifest = pa.table({{k: columns[k] for k in ("image_id", "path")}})
table, _ = extract_images(manifest, Path({str(images)!r}),
    Path({str(encoder_folder)!r}), encoder_id="small",
    store=Path({str(tmp_path / "store")!r}), progress=False)
assert table.num_rows == 9
print("torch" in sys.modules)
"""
    root = Path(__file__).parents[2] / "workflow/scripts"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"


def test_a_damaged_shard_is_named(run, tmp_path):
    run()
    shard = next((tmp_path / "store").rglob("shards/*.parquet"))
    shard.write_bytes(shard.read_bytes()[:100])
    with pytest.raises(BakeoffError, match=shard.stem):
        run()


def test_weights_that_give_no_numbers(run, save_encoder, tmp_path, monkeypatch):
    nan = torch.full((4, 16), float("nan"))
    monkeypatch.setattr(
        OpenClip, "encode_images", lambda self, batch: nan[: len(batch)]
    )
    with pytest.raises(BakeoffError, match=r"no finite numbers.*precision"):
        run()


BANK = [
    {"class": "even", "template": 0, "text": "an even number"},
    {"class": "even", "template": 1, "text": "Number Two, as a photo!"},
    {"class": "odd", "template": 0, "text": "an even number"},
]


@pytest.fixture
def texts(encoder_folder, tmp_path):
    return partial(
        extract_texts,
        encoder_folder=encoder_folder,
        encoder_id="small",
        store=tmp_path / "store",
        device="cpu",
    )


def test_texts_equal_a_plain_open_clip_call(texts, encoder_folder, tmp_path):
    columns, origin = texts(BANK)
    name = f"local-dir:{encoder_folder}"
    model = open_clip.create_model(name).eval()
    with torch.no_grad():
        tokens = open_clip.get_tokenizer(name)([row["text"] for row in BANK])
        expected = model.encode_text(tokens).numpy()
    np.testing.assert_allclose(columns["embedding"], expected, atol=1e-6)
    write_table(tmp_path / "t.parquet", "texts", columns, origin)
    table = read_table(tmp_path / "t.parquet", "texts")
    assert table["text"].to_pylist() == [row["text"] for row in BANK]
    assert json.loads(json.dumps(origin))["logit_scale"] == pytest.approx(1 / 0.07)


def test_prompts_are_encoded_once(texts, monkeypatch):
    seen: list[str] = []
    original = OpenClip.encode_texts

    def counted(self, batch):
        seen.extend(batch)
        return original(self, batch)

    monkeypatch.setattr(OpenClip, "encode_texts", counted)
    first, _ = texts(BANK)
    assert len(seen) == 2
    second, _ = texts([*BANK, {"class": "odd", "template": 1, "text": "new"}])
    assert seen[2:] == ["new"]
    np.testing.assert_array_equal(second["embedding"][:3], first["embedding"])


def test_a_wrong_dimension_stops_before_anything_is_kept(
    images, manifest, save_encoder, tmp_path
):
    """And the corrected description finds a store that nothing has spoilt."""
    folder = save_encoder(tmp_path / "mine", 0)
    path = folder / "encoder.json"
    note = json.loads(path.read_text())
    path.write_text(json.dumps(note | {"dimension": 999}))
    options = {"encoder_id": "mine", "store": tmp_path / "store", "progress": False}
    with pytest.raises(BakeoffError, match=r"mine\.dimension: got 999; expected 16"):
        write_embeddings(tmp_path / "e", manifest(), images, folder, **options)
    rows = [{"class": "a", "template": "a {}", "text": "a cat"}]
    with pytest.raises(BakeoffError, match="Set `dimension: 16`"):
        extract_texts(rows, folder, encoder_id="mine", store=tmp_path / "store")
    kept = {p.name for p in (tmp_path / "store").rglob("*") if p.is_file()}
    assert not {n for n in kept if n == "facts.json" or n.endswith(".parquet")}
    path.write_text(json.dumps(note))
    write_embeddings(tmp_path / "e", manifest(), images, folder, **options)
    assert read_table(tmp_path / "e", "embeddings").num_rows == 9
