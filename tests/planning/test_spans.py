"""Which encoders are ranked over several studies."""

from contextlib import chdir
from pathlib import Path

import pytest
from bakeoff.stats.datasets import FEWEST_DATASETS, FEWEST_MODELS
from planning import spans as module
from planning.make import make_plan
from planning.spans import Question, Span, spans

CV = Question("cv", "ridge", "accuracy")


@pytest.fixture
def config(tmp_path: Path) -> dict:
    """Five studies of images with three encoders, a probe and two protocols."""
    studies = {}
    for name in "abcde":
        (tmp_path / name).mkdir()
        studies[name] = {"images": name, "labels": "nominal"}
    return {
        "encoders": ["tiny-clip", "tiny-siglip", "tiny-random"],
        "probes": {"ridge": {"kind": "ridge"}},
        "protocols": {"cv": {"kind": "kfold"}, "test": {"kind": "split"}},
        "studies": studies,
    }


@pytest.fixture
def found(tmp_path: Path, repository: Path):
    def ask(config: dict) -> dict[Question, Span]:
        with chdir(tmp_path):
            return spans(make_plan(config, repository))

    return ask


def test_the_limits_are_those_of_the_tests() -> None:
    assert module.FEWEST_STUDIES == FEWEST_DATASETS
    assert module.FEWEST_ENCODERS == FEWEST_MODELS


def test_five_studies_are_ranked_and_four_are_not(config, found) -> None:
    assert found(config) == {CV: Span(list("abcde"), config["encoders"])}
    del config["studies"]["c"]
    assert found(config) == {}


def test_two_encoders_are_not_ranked(config, found) -> None:
    config["encoders"] = config["encoders"][:2]
    assert found(config) == {}


def test_an_encoder_that_one_study_leaves_out_is_not_ranked(config, found) -> None:
    everywhere = config["encoders"]
    config["encoders"] = [*everywhere, "clip-vit-b-32"]
    config["studies"]["b"]["encoders"] = everywhere[::-1]
    assert found(config) == {CV: Span(list("abcde"), everywhere)}


def test_each_probe_and_protocol_is_a_question_of_its_own(config, found) -> None:
    config["probes"]["svc"] = {"kind": "svc"}
    for name in "abcd":
        config["studies"][name]["protocols"] = ["cv", "test"]
    config["studies"]["e"]["probes"] = ["ridge"]
    assert set(found(config)) == {CV}
    config["studies"]["e"]["protocols"] = ["test", "cv"]
    assert set(found(config)) == {CV, Question("test", "ridge", "accuracy")}


def test_studies_that_decide_by_other_metrics_are_other_questions(
    config, found
) -> None:
    config["studies"]["d"]["metrics"] = ["macro_f1"]
    assert found(config) == {}


def test_learning_curves_are_not_ranked(config, found) -> None:
    config["protocols"]["curve"] = {"kind": "curve"}
    for study in config["studies"].values():
        study["protocols"] = ["curve"]
    assert found(config) == {}
