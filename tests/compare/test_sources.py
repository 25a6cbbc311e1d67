"""Components of variance and seeds: by hand, and what is left out."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from bakeoff.compare.seeds import seed_rows, values_by_seed
from bakeoff.sources import values_by_fold, values_by_prompt, variance_rows

FAMILIES = {
    "a+r~1": "a+r",
    "a+r~2": "a+r",
    "b+r~1": "b+r",
    "b+r~2": "b+r",
    "c+r": "c+r",
}


def metric_rows(rows: list[dict[str, Any]]) -> pa.Table:
    """A table of metrics; what a row leaves out is that of all runs together."""
    usual = {
        "study": "s", "encoder": "a", "method": "m", "protocol": "test", "repeat": -1,
        "fold": -1, "class": "", "metric": "accuracy", "value": 0.5,
    }  # fmt: skip
    return pa.Table.from_pylist([usual | row for row in rows])


def of_seeds(metric: str, values: dict[str, float | None]) -> pa.Table:
    rows = [{"encoder": e, "value": v, "metric": metric} for e, v in values.items()]
    return metric_rows(rows)


def test_seeds_by_hand() -> None:
    table = of_seeds(
        "accuracy",
        {"a+r~1": 0.6, "a+r~2": 0.8, "b+r~1": 0.6, "b+r~2": 0.4, "c+r": 0.1, "d": 0.9},
    )
    found = values_by_seed(table, ["accuracy"], FAMILIES)
    (row,) = seed_rows("s", found)
    assert (row["a"], row["b"], row["seeds_a"], row["seeds_b"]) == ("a+r", "b+r", 2, 2)
    assert (row["mean_a"], row["mean_b"]) == pytest.approx((0.7, 0.5))
    assert (row["sd_a"], row["sd_b"]) == pytest.approx((0.02**0.5, 0.02**0.5))
    # Of four pairs of runs three are won and one (0.6, 0.6) is a draw.
    assert row["p_better"] == 3.5 / 4


@pytest.mark.parametrize(("metric", "values", "chance"), [
    ("rmse", (1.0, 1.2, 2.0, 2.2), 1.0),
    ("bias", (-0.1, 0.2, -0.5, 0.4), 1.0),  # nearer to zero is better
    ("accuracy", (0.1, 0.2, 0.5, 0.4), 0.0),
])  # fmt: skip
def test_better_is_what_the_metric_says(
    metric: str, values: tuple[float, ...], chance: float
) -> None:
    named = dict(zip(["a+r~1", "a+r~2", "b+r~1", "b+r~2"], values, strict=True))
    found = values_by_seed(of_seeds(metric, named), [metric], FAMILIES)
    assert seed_rows("s", found)[0]["p_better"] == chance


def test_single_seeds_and_undefined_values_tell_nothing() -> None:
    table = of_seeds("accuracy", {"a+r~1": 0.5, "a+r~2": None, "c+r": 0.5})
    assert values_by_seed(table, ["accuracy"], FAMILIES) == {}


def test_components_by_hand() -> None:
    key = ("m", "cv", "accuracy")
    grid = {"a": {0: 0.0, 1: 0.0, 2: 0.0}, "b": {0: 2.0, 1: 2.0, 2: 2.0, 3: np.nan}}
    seeds = {"a+r": np.array([0.0, 2.0, 9.0]), "b+r": np.array([4.0, 6.0])}
    rows = variance_rows("s", folds={key: grid}, prompts={}, seeds={key: seeds})
    told = [(r["design"], r["source"], r["levels"], r["variance"]) for r in rows]
    assert told == [
        ("encoders x folds", "encoder", 2, 2.0),
        ("encoders x folds", "fold", 3, 0.0),
        ("encoders x folds", "residual", 6, 0.0),
        # As many seeds as the fewest: means 1 and 5, so 8 - 2/2 between, 2 within.
        ("seeds within encoders", "encoder", 2, 7.0),
        ("seeds within encoders", "seed", 2, 2.0),
    ]
    assert [r["share"] for r in rows[:3]] == [1.0, 0.0, 0.0]
    assert rows[3]["sd"] == 7.0**0.5


def test_too_little_leaves_no_rows() -> None:
    key = ("m", "cv", "accuracy")
    alone = {key: {"a": {0: 0.1, 1: 0.2}}}
    once = {key: {"a": {0: 0.1}, "b": {0: 0.2}}}
    apart = {key: {"a": {0: 0.1, 1: 0.3}, "b": {2: 0.2, 3: 0.3}}}
    for values in ({}, {key: {}}, alone, once, apart):
        assert variance_rows("s", folds=values, prompts=values, seeds={}) == []
    (row,) = variance_rows(
        "s", folds={}, prompts={}, seeds={key: {"a+r": np.array([1.0, 3.0])}}
    )
    assert (row["source"], row["variance"], row["share"]) == ("seed", 2.0, 1.0)


def test_folds_are_those_of_the_named_encoders_and_metrics() -> None:
    table = metric_rows(
        [
            {"encoder": e, "repeat": r, "fold": f, "value": 0.1 * f, "metric": m}
            for e in ("a", "b", "control")
            for r, f in ((0, 0), (0, 1), (0, -1), (-1, -1))
            for m in ("accuracy", "macro_f1")
        ]
    )
    found = values_by_fold(table, "s", ["accuracy"], ["a", "b"])
    levels = {(0, 0): 0.0, (0, 1): 0.1}
    assert found == {("m", "test", "accuracy"): {"a": levels, "b": levels}}


def test_prompts_one_at_a_time() -> None:
    """The first prompt names every image rightly, the second none; the third is rare."""
    ids = [f"{i:064x}" for i in range(4)]
    labels = ["cat", "dog", "cat", "dog"]
    manifest = pa.table(
        {
            "image_id": ids, "path": ids, "label": labels, "split": [""] * 4,
            "value": pa.array([None] * 4, pa.float64()),
            "group": pa.array([None] * 4, pa.string()),
        }
    )  # fmt: skip
    axes = {"cat": [1.0, 0.0], "dog": [0.0, 1.0]}
    vectors = pa.array([axes[name] for name in labels], pa.list_(pa.float32(), 2))
    bank = [("cat", 0, "cat"), ("dog", 0, "dog"), ("cat", 1, "dog"), ("dog", 1, "cat"),
            ("cat", 2, "cat")]  # fmt: skip
    texts = pa.table(
        {
            "class": [name for name, _, _ in bank],
            "template": pa.array([place for _, place, _ in bank], pa.int32()),
            "embedding": pa.array(
                [axes[v] for *_, v in bank], pa.list_(pa.float32(), 2)
            ),
        }
    )
    folds = pa.table(
        {"image_id": ids, "repeat": [0] * 4, "fold": [0, 0, -1, -2]}
    )  # tests the first two
    found = values_by_prompt(
        {"e": pa.table({"image_id": ids, "embedding": vectors})},
        {"e": texts},
        manifest,
        folds,
        protocol="test",
        names=["accuracy", "nll"],
        labels="nominal",
    )
    assert found == {("zeroshot", "test", "accuracy"): {"e": {0: 1.0, 1: 0.0}}}
