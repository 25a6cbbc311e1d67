"""Encoders made of others take the same way through the workflow as any."""

import numpy as np
import pytest
import yaml
from bakeoff.encoders.compose import compose
from bakeoff.tables import read_table, vectors
from support.workflow import Workflow, small_config

pytestmark = pytest.mark.workflow

DERIVED = {
    "pair": {"derived": "concatenate", "of": ["tiny-clip", "tiny-siglip"]},
    "half": {"derived": "interpolate", "of": ["tiny-clip", "tiny-random"]},
}
ENCODERS = ["tiny-clip", "pair", "half"]


@pytest.fixture(scope="module")
def derived(make_workflow) -> Workflow:
    """A study with derived encoders, as far as its metrics and costs."""
    config = small_config() | {"encoders": ENCODERS, "control": None}
    config |= {"catalogue": "config/mine.yaml", "probes": {"ridge": {"kind": "ridge"}}}
    config["studies"]["colours"]["protocols"] = ["test"]
    workflow = make_workflow(config)
    write_catalogue(workflow, DERIVED)
    workflow.run("--", *targets())
    return workflow


def targets() -> list[str]:
    metrics = [f"results/colours/metrics/{name}.parquet" for name in ENCODERS]
    return [*metrics, "results/colours/costs.parquet"]


def write_catalogue(workflow: Workflow, entries: dict) -> None:
    known = yaml.safe_load((workflow.place / "config/encoders.yaml").read_text())
    path = workflow.place / "config/mine.yaml"
    path.write_text(yaml.safe_dump(known | entries))


def embedded(workflow: Workflow, encoder: str) -> np.ndarray:
    path = workflow.place / f"results/colours/embeddings/{encoder}.parquet"
    return vectors(read_table(path, "embeddings"))


def test_each_is_scored_by_every_method(derived: Workflow) -> None:
    for encoder in ENCODERS:
        path = derived.place / f"results/colours/metrics/{encoder}.parquet"
        methods = read_table(path, "metrics")["method"].to_pylist()
        assert set(methods) == {"ridge", "zeroshot"}, encoder


def test_vectors_are_composed_from_those_of_the_parts(derived: Workflow) -> None:
    derived.run("--", "results/colours/embeddings/tiny-siglip.parquet")
    log = derived.place / "logs/embed_images/colours/tiny-siglip.log"
    assert "39 images, 0 new" in log.read_text()
    parts = [embedded(derived, name) for name in ("tiny-clip", "tiny-siglip")]
    pair = embedded(derived, "pair")
    np.testing.assert_array_equal(pair, compose("concatenate", parts))
    assert pair.shape == (39, 256)


def test_costs_count_all_parts(derived: Workflow) -> None:
    costs = read_table(derived.place / "results/colours/costs.parquet", "costs")
    rows = {row["encoder"]: row for row in costs.to_pylist()}
    assert rows["pair"]["gflops"] == pytest.approx(2 * rows["tiny-clip"]["gflops"])
    assert rows["pair"]["bytes"] > 1.9 * rows["tiny-clip"]["bytes"]
    assert rows["half"]["parameters"] == rows["tiny-clip"]["parameters"]


def test_nothing_is_made_again_but_what_a_changed_entry_changes(
    derived: Workflow,
) -> None:
    assert len(derived.planned("--", *targets())) == 0
    half = DERIVED["half"] | {"alpha": 0.25}
    write_catalogue(derived, DERIVED | {"half": half})
    jobs = derived.planned("--", *targets())
    assert jobs.of("derive") == {"resources/derived/half/encoder.json"}
    assert {"results/colours/embeddings/half.parquet"} == jobs.of("embed_images")
    write_catalogue(derived, DERIVED)
