"""The row of costs: its columns, and the numbers that can be known."""

import pytest
from bakeoff.costs import Measured, measure_all, measure_costs
from bakeoff.tables import read_table, write_table


def test_a_row_of_costs(images, encoder_folder, tmp_path):
    files = sorted(images.rglob("*.png"))
    row = measure_costs(
        encoder_folder, files, encoder_id="small", batch_size=4, rounds=1
    )
    write_table(tmp_path / "costs.parquet", "costs", row)
    (cost,) = read_table(tmp_path / "costs.parquet", "costs").to_pylist()
    assert cost["encoder"] == "small" and cost["dimension"] == 16
    assert 0 < cost["parameters_image"] < cost["parameters"]
    assert cost["images_per_s"] > 0 and cost["latency_ms"] > 0
    assert cost["peak_memory_mb"] > 50
    assert cost["spread"] == 0  # of one round
    weights = (encoder_folder / "open_clip_model.safetensors").stat().st_size
    config = (encoder_folder / "open_clip_config.json").stat().st_size
    assert cost["bytes"] == weights + config


def test_flops_by_hand(images, encoder_folder):
    """Two per multiply-add: patches, attention, projections, MLP, last projection."""
    tokens, width, patch, out = 5, 32, 8 * 8 * 3, 16
    by_hand = 2 * (
        4 * patch * width
        + tokens * width * 3 * width
        + 2 * tokens * tokens * width
        + tokens * width * width
        + 2 * tokens * width * 4 * width
        + width * out
    )
    files = sorted(images.rglob("*.png"))[:1]
    row = measure_costs(encoder_folder, files, encoder_id="small", rounds=1)
    assert row["gflops"][0] * 1e9 == pytest.approx(by_hand, rel=1e-9)


def test_another_resolution_costs_more(images, encoder_folder):
    files = sorted(images.rglob("*.png"))[:1]
    small, large = (
        measure_costs(
            encoder_folder, files, encoder_id="small", resolution=r, rounds=1
        )["gflops"][0]
        for r in (16, 32)
    )
    assert large > 3 * small


def test_encoders_of_one_folder_cost_the_same(images, encoder_folder, tmp_path):
    """A fine-tuned encoder has the architecture of its base, which is measured."""
    files = sorted(images.rglob("*.png"))
    same, larger = Measured(encoder_folder), Measured(encoder_folder, 32)
    rows = measure_all(
        {"base": same, "base@32": larger, "base+tuned": same},
        files,
        store=tmp_path,
        device="cpu",
        rounds=2,
    )
    assert rows.pop("encoder") == ["base", "base@32", "base+tuned"]
    for values in rows.values():
        assert values[0] == values[2]
    assert rows["gflops"][1] > rows["gflops"][0]
    assert all(spread >= 0 for spread in rows["spread"])
