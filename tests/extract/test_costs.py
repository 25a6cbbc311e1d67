"""The row of costs: its columns, and the numbers that can be known."""

import pytest
from bakeoff.costs import measure_costs
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
