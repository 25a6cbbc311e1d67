"""The script of the rule: its division, its state folder, and going on after a signal."""

import os
import shutil
import signal
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from bakeoff.errors import BakeoffError
from bakeoff.finetune.training import Training
from bakeoff.tables import read_table, write_table
from finetune import finetune
from safetensors.torch import load_file
from study import COLOURS, Study

RECIPE = {"batch": 6, "micro_batch": 3, "epochs": 2, "lr": 1e-3}


def inputs(folder: Path, study: Study, split: list[str]) -> dict:
    """Manifest and prompt bank as files, and everything else that the script takes."""
    table = study.manifest.set_column(
        study.manifest.schema.get_field_index("split"), "split", pa.array(split)
    )
    write_table(folder / "manifest.parquet", "manifest", table)
    bank = {"templates": ["a {} wall", "so {}"], "classes": dict.fromkeys(COLOURS)}
    (folder / "prompts.yaml").write_text(yaml.safe_dump(bank))
    return {
        "manifest": folder / "manifest.parquet",
        "prompts": folder / "prompts.yaml",
        "encoder": study.clip / "encoder.json",
        "settings": {
            "images": str(study.folder / "images"),
            "recipe": RECIPE,
            "seed": 3,
        },
        "code": "finetune.py@1",
        "device": "cpu",
        "threads": 1,
    }


def outputs(folder: Path) -> dict:
    return {
        "output_encoder": folder / "finetuned/toy+fast/encoder.json",
        "output_training": folder / "training/toy+fast.parquet",
    }


def alternating(study: Study) -> list[str]:
    """Every third image is a test image."""
    return ["train", "train", "test"] * (len(study.ids) // 3)


def weights(folder: Path) -> dict:
    return load_file(folder / "finetuned/toy+fast/open_clip_model.safetensors")


def interrupt(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Ask the training to leave in one of its steps."""
    original = Training.step

    def step(self, number, how):
        if number == at:
            os.kill(os.getpid(), signal.SIGTERM)
        return original(self, number, how)

    monkeypatch.setattr(Training, "step", step)


def test_an_interrupted_job_goes_on_and_ends_with_the_same_weights(
    tmp_path: Path, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = inputs(tmp_path, study, alternating(study))
    finetune(**given, **outputs(tmp_path / "whole"))
    with monkeypatch.context() as patch:
        interrupt(patch, at=3)
        with pytest.raises(SystemExit) as leaving:
            finetune(**given, **outputs(tmp_path / "cut"))
    assert leaving.value.code == 75
    assert len(list(tmp_path.glob("cut/finetuned/toy+fast.state/*/checkpoint.pt"))) == 1
    with monkeypatch.context() as patch:
        steps = []
        original = Training.step
        patch.setattr(
            Training, "step", lambda s, n, how: steps.append(n) or original(s, n, how)
        )
        finetune(**given, **outputs(tmp_path / "cut"))
    assert steps[0] == 3
    whole, cut = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert all(whole[name].equal(cut[name]) for name in whole)
    assert not list(tmp_path.glob("*/finetuned/*.state"))
    table = read_table(tmp_path / "cut/training/toy+fast.parquet", "training")
    assert table["step"].to_pylist() == list(range(1, table.num_rows + 1))


def test_another_setting_starts_anew_and_removes_the_old_state(
    tmp_path: Path, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = inputs(tmp_path, study, alternating(study))
    state = tmp_path / "finetuned/toy+fast.state"
    kept = []
    for seed in (3, 4):
        given["settings"] = {**given["settings"], "seed": seed}
        with monkeypatch.context() as patch:
            interrupt(patch, at=2)
            with pytest.raises(SystemExit):
                finetune(**given, **outputs(tmp_path))
        (own,) = state.iterdir()
        kept.append(own.name)
    assert kept[0] != kept[1]


def test_test_images_are_never_opened(tmp_path: Path, study: Study) -> None:
    given = inputs(tmp_path, study, alternating(study))
    given["settings"] |= {"images": str(tmp_path / "images")}
    paths = study.manifest["path"].to_pylist()
    for path, split in zip(paths, alternating(study), strict=True):
        if split == "train":
            place = tmp_path / "images" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(study.folder / "images" / path)
    finetune(**given, **outputs(tmp_path))
    assert (tmp_path / "finetuned/toy+fast/encoder.json").is_file()


def test_an_image_that_changed_since_the_manifest_ends_it(
    tmp_path: Path, study: Study
) -> None:
    given = inputs(tmp_path, study, alternating(study))
    images = tmp_path / "images"
    shutil.copytree(study.folder / "images", images)
    given["settings"] |= {"images": str(images)}
    first, second = (images / study.manifest["path"][row].as_py() for row in (0, 1))
    first.write_bytes(second.read_bytes())
    with pytest.raises(BakeoffError, match="changed since the manifest"):
        finetune(**given, **outputs(tmp_path))
    assert not (tmp_path / "finetuned/toy+fast/encoder.json").exists()


def test_images_without_a_test_set_are_refused(tmp_path: Path, study: Study) -> None:
    given = inputs(tmp_path, study, ["train"] * len(study.ids))
    with pytest.raises(BakeoffError, match="not divided"):
        finetune(**given, **outputs(tmp_path))


def test_two_processes_share_a_training(tmp_path: Path, study: Study) -> None:
    """By torchrun on this machine; the same steps as alone, but for rounding."""
    given = inputs(tmp_path, study, alternating(study))
    finetune(**given, **outputs(tmp_path / "alone"))
    finetune(**given, **outputs(tmp_path / "shared"), tasks=2)
    alone, shared = (
        read_table(tmp_path / name / "training/toy+fast.parquet", "training")
        for name in ("alone", "shared")
    )
    assert shared["step"] == alone["step"]
    losses = (table["loss"].to_pylist() for table in (shared, alone))
    assert next(losses) == pytest.approx(next(losses), rel=1e-4)
    assert not list(tmp_path.glob("*/finetuned/*.state"))
    whole, parts = weights(tmp_path / "alone"), weights(tmp_path / "shared")
    assert whole.keys() == parts.keys()
