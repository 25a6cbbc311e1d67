"""What runs again after one change, job by job: no more and no less.

Each case names the jobs that its change makes stale by itself; those that follow from
them follow along the edges of the workflow's own graph.
"""

import os
import re
import shutil
from pathlib import Path

import pytest
from support.workflow import Jobs, Workflow, picture

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def everything(finished: Workflow) -> Jobs:
    jobs = finished.planned("--forceall")
    assert len(jobs) > 30
    return jobs


def edit(place: Path, pattern: str, replacement: str) -> None:
    text = place.read_text()
    changed = re.sub(pattern, replacement, text, count=1)
    assert changed != text, f"{pattern} is not in {place}"
    place.write_text(changed)


def append_comment(place: Path) -> None:
    place.write_text(place.read_text() + "\n# changed\n")


def test_a_finished_study_has_nothing_to_do(restored: Workflow) -> None:
    assert restored.planned().rules == {}


CONFIGURATION = {
    "a probe's penalty": (
        {"probes": {"ridge": {"kind": "ridge", "alpha": 7.0}}},
        ["*/predictions/*/ridge/*", "sensitivity"],
    ),
    "a protocol's repeats": (
        {"protocols": {"cv": {"kind": "kfold", "folds": 2, "repeats": 3}}},
        ["results/colours/folds/cv.parquet"],
    ),
    "the seed": (
        {"seed": 2},
        ["folds", "probe", "compare", "figure_embedding_map", "summary"],
    ),
    "the precision": (
        {"extraction": {"precision": "fp32"}},
        ["embed_images", "costs_settings"],
    ),
    "the confidence": ({"statistics": {"confidence": 0.9}}, ["compare", "figure_*"]),
    "the equivalence band": (
        {"statistics": {"equivalence": {"accuracy": 0.02}}},
        ["compare", "figure_*"],
    ),
    "the control": (
        {"control": None},
        ["figure_differences", "figure_probabilities", "variance", "summary"],
    ),
    "the pixel limit": (
        {"studies": {"colours": {"pixel_limit": 10_000}}},
        ["manifest"],
    ),
    "the title": (
        {"studies": {"colours": {"title": "Hues"}}},
        ["figure_*", "summary"],
    ),
    "a metric": (
        {"studies": {"colours": {"metrics": ["macro_f1"]}}},
        ["compare", "variance", "figure_*", "summary", "sensitivity"],
    ),
    "the batch size, which changes no result": ({"extraction": {"batch_size": 3}}, []),
}


def merged(config: dict, change: dict) -> dict:
    result = dict(config)
    for key, value in change.items():
        inner = result.get(key)
        both = isinstance(inner, dict) and isinstance(value, dict)
        result[key] = merged(inner, value) if both and "kind" not in value else value
    return result


@pytest.mark.parametrize("change", CONFIGURATION)
def test_a_change_of_the_configuration(
    restored: Workflow, everything: Jobs, change: str
) -> None:
    settings, direct = CONFIGURATION[change]
    restored.write_config(merged(restored.config, settings))
    planned = set(restored.planned().rules)
    expected = everything.with_all_after(everything.of(*direct))
    if "figure_*" in direct:  # a figure reads only the settings that it needs
        assert planned <= expected
        assert planned - everything.of("figure_*") == expected - everything.of(
            "figure_*"
        )
    else:
        assert planned == expected


def test_two_values_that_change_places(restored: Workflow, everything: Jobs) -> None:
    config = restored.config
    config["probes"] = {"ridge": {"kind": "svc"}, "svc": {"kind": "ridge"}}
    restored.write_config(config)
    expected = everything.with_all_after(everything.of("probe"))
    assert set(restored.planned().rules) >= expected
    assert not set(restored.planned().rules) & everything.of("embed_*", "manifest")


def test_the_order_of_keys_means_nothing(restored: Workflow) -> None:
    def backwards(value: object) -> object:
        if isinstance(value, dict):
            return {key: backwards(value[key]) for key in reversed(value)}
        return value

    config = restored.config
    kept = {key: config[key] for key in ("probes", "protocols")}
    restored.write_config({**backwards(config), **kept})  # type: ignore[dict-item]
    assert restored.planned().rules == {}


MODULES = {
    "probe.py": ["probe"],
    "bakeoff/probes/ridge.py": ["probe", "sensitivity"],
    "bakeoff/zeroshot.py": ["zeroshot"],
    "bakeoff/folds.py": ["folds", "probe", "zeroshot"],
    "bakeoff/manifest.py": ["manifest"],
    "bakeoff/encoders/openclip.py": ["embed_*", "costs*", "provenance"],
    "bakeoff/prompts.py": ["embed_texts"],
    "bakeoff/figures/confusion.py": ["figure_confusion", "figure_confusion_difference"],
    "bakeoff/figures/bakeoff.mplstyle": ["figure_*"],
    "bakeoff/summary.py": ["summary"],
    "bakeoff/templates/summary.css": ["summary"],
    "bakeoff/tables.py": ["*"],
    "bakeoff/costs.py": ["costs*"],
    "bakeoff/demo/otoliths.py": [],
}


@pytest.mark.parametrize("module", MODULES)
def test_a_change_of_the_code(
    restored: Workflow, everything: Jobs, module: str
) -> None:
    append_comment(restored.place / "workflow/scripts" / module)
    expected = everything.with_all_after(everything.of(*MODULES[module]))
    assert set(restored.planned().rules) == expected


def test_code_that_is_put_back_leaves_nothing_behind(restored: Workflow) -> None:
    place = restored.place / "workflow/scripts/bakeoff/probes/ridge.py"
    text = place.read_text()
    append_comment(place)
    place.write_text(text)
    assert restored.planned().rules == {}


def test_new_time_stamps_mean_nothing(restored: Workflow) -> None:
    """A fresh checkout, a copy, `touch`: contents decide."""
    for folder in ("workflow", "rules", "config", "images", "resources", "results"):
        for path in (restored.place / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                os.utime(path)
    (restored.place / "prompts.yaml").touch()
    assert restored.planned().rules == {}


def test_an_added_a_changed_and_a_removed_image(
    restored: Workflow, everything: Jobs
) -> None:
    expected = everything.with_all_after(everything.of("manifest"))
    added = restored.place / "images/train/red/new.png"
    picture(999, "red").save(added)
    assert set(restored.planned().rules) == expected
    added.unlink()
    assert restored.planned().rules == {}
    changed = restored.place / "images/train/red/0.png"
    picture(998, "red").save(changed)
    assert set(restored.planned().rules) == expected
    changed.unlink()
    assert set(restored.planned().rules) == expected


def test_costs_are_measured_for_their_own_reasons_alone(
    restored: Workflow, everything: Jobs
) -> None:
    """Not for an added image; but if their code changes together with the images."""
    costs = everything.of("costs")
    picture(999, "red").save(restored.place / "images/train/red/new.png")
    planned = restored.planned()
    assert planned.of("manifest") and not planned.of("costs", "costs_settings")
    append_comment(restored.place / "workflow/scripts/bakeoff/costs.py")
    assert costs <= set(restored.planned().rules)


def test_after_a_failed_run_the_old_page_says_that_it_is_old(
    restored: Workflow,
) -> None:
    page = restored.place / "results/colours/summary.html"
    old = page.with_name("summary-old.html")
    figure = restored.place / "workflow/scripts/bakeoff/figures/accuracy.py"
    kept = figure.read_text()
    figure.write_text(kept + "\nraise SystemExit(1)\n")
    assert restored.snakemake("--dry-run").returncode == 0 and page.exists()
    assert restored.snakemake().returncode != 0
    assert "This page is old." in old.read_text() and not page.exists()
    figure.write_text(kept)
    restored.run()
    assert "This page is old." not in page.read_text() and not old.exists()


def test_a_changed_label(restored: Workflow, everything: Jobs) -> None:
    images = restored.place / "images/train"
    shutil.move(images / "red/0.png", images / "green/moved.png")
    expected = everything.with_all_after(everything.of("manifest"))
    assert set(restored.planned().rules) == expected


def test_a_changed_prompt_bank(restored: Workflow, everything: Jobs) -> None:
    edit(restored.place / "prompts.yaml", "something", "anything")
    expected = everything.with_all_after(everything.of("embed_texts"))
    assert set(restored.planned().rules) == expected


def test_a_deleted_figure_is_one_job(restored: Workflow) -> None:
    figure = restored.place / "results/colours/figures/accuracy.svg"
    kept = figure.read_bytes()
    figure.unlink()
    target = "results/colours/figures/accuracy.svg"
    assert list(restored.planned(target).rules.values()) == ["figure_accuracy"]
    restored.run(target)
    assert figure.read_bytes() == kept


def test_a_new_encoder_runs_its_own_jobs_and_what_gathers(
    restored: Workflow, everything: Jobs
) -> None:
    config = restored.config
    config["encoders"].append("tiny-siglip")
    restored.write_config(config)
    planned = restored.planned()
    own = planned.of("*tiny-siglip*")
    assert {planned.rules[job] for job in own} == {
        "embed_images",
        "embed_texts",
        "probe",
        "sensitivity",
        "zeroshot",
        "metrics",
        "figure_embedding_map",
    }
    gathering = everything.of("compare", "costs", "retrieval", "tables", "figure_*")
    gathering |= everything.of("variance", "summary", "provenance", "costs_settings")
    of_others = ("embedding_map", "qualitative", "confusion_difference")
    gathering -= everything.of(*(f"figure_{name}" for name in of_others))
    assert set(planned.rules) - own == gathering


def test_an_interrupted_job_runs_again(restored: Workflow, everything: Jobs) -> None:
    """What Snakemake leaves behind when it is killed during a job."""
    target = "results/colours/metrics/tiny-clip.parquet"
    markers = restored.place / ".snakemake/incomplete"
    before = set(markers.iterdir())
    import base64

    marker = markers / base64.b64encode(target.encode()).decode()
    marker.touch()
    assert set(markers.iterdir()) != before
    try:
        expected = everything.with_all_after(everything.of(target))
        assert set(restored.planned().rules) == expected
    finally:
        marker.unlink()


def test_one_added_image_is_one_image_to_encode(make_workflow) -> None:
    """Per encoder: the log says how many images were new."""
    workflow = make_workflow()
    embedded = [
        f"results/colours/embeddings/tiny-{e}.parquet" for e in ("clip", "random")
    ]
    workflow.run(*embedded)
    picture(999, "red").save(workflow.place / "images/train/red/new.png")
    workflow.run(*embedded)
    for encoder in ("tiny-clip", "tiny-random"):
        log = (workflow.place / f"logs/embed_images/colours/{encoder}.log").read_text()
        assert re.search(r"\b1 new\b", log), log
