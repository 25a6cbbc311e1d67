"""Encoders over several data sets: Demsar's table, written and ranked as the rule does."""

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from bakeoff.compare import over_studies
from bakeoff.errors import BakeoffError
from bakeoff.stats.datasets import friedman, wilcoxon_holm
from bakeoff.tables import origin, read_table, write_table
from ranks import ranks
from support.demsar import AUC

STUDIES = [f"d{i:02d}" for i in range(14)]
ENCODERS = ["c45", "c45-m", "c45-cf", "c45-m-cf"]
WHERE = {"method": "ridge", "protocol": "cv"}


def tables(folder: Path, values: np.ndarray, metric: str) -> list[Path]:
    """A table of metrics per study, with rows beside the overall ones."""
    paths = []
    for study, row in zip(STUDIES, values.tolist(), strict=False):
        places = [
            (e, method, repeat, v + 0.001 * (repeat >= 0) + 0.1 * (method == "svc"))
            for e, v in zip(ENCODERS, row, strict=True)
            for method in ("ridge", "svc")
            for repeat in (0, -1)
        ]
        encoders, methods, repeats, own = zip(*places, strict=True)
        n = len(places)
        columns = {
            "study": [study] * n, "encoder": encoders, "method": methods,
            "protocol": ["cv"] * n, "repeat": repeats, "fold": [-1] * n,
            "class": [""] * n, "metric": [metric] * n, "value": own,
        }  # fmt: skip
        paths.append(folder / f"{study}.parquet")
        write_table(paths[-1], "metrics", columns)
    return paths


@pytest.fixture
def made(tmp_path: Path):
    """Run the rule's script: ranks, comparisons and the folder that they are in."""

    def run(
        values: np.ndarray = AUC, metric: str = "accuracy", **settings
    ) -> tuple[pa.Table, pa.Table, Path]:
        folder = tmp_path / "out"
        ranks(
            metrics=tables(tmp_path, values, metric),
            output_ranks=folder / "ranks.parquet",
            output_comparisons=folder / "comparisons.parquet",
            settings={
                **WHERE, "metric": metric, "studies": STUDIES[: len(values)],
                "encoders": ENCODERS, "confidence": 0.95, "equivalence": {}, **settings,
            },
        )  # fmt: skip
        found = [
            read_table(folder / f"{n}.parquet", n) for n in ("ranks", "comparisons")
        ]
        return found[0], found[1], folder

    return run


def test_the_published_ranks_and_critical_difference(made) -> None:
    ranked, _, _ = made()
    means = ranked.to_pandas().groupby("encoder", observed=True)["rank"].mean()
    assert means[ENCODERS].tolist() == pytest.approx(
        [3.1429, 2.0, 2.9286, 1.9286], abs=5e-5
    )
    assert origin(ranked)["critical_difference"] == pytest.approx(1.2536, abs=5e-5)


def test_the_rows_are_those_of_the_tests(made) -> None:
    rows = made()[1].to_pylist()
    whole, pairs = friedman(AUC), wilcoxon_holm(AUC)
    assert (rows[0]["test"], rows[0]["a"], rows[0]["primary"]) == (
        "friedman",
        "",
        False,
    )
    assert rows[0]["p"] == rows[0]["p_adjusted"] == whole.f_p and rows[0]["df"] == 3
    for row, ((i, j), (p, adjusted)) in zip(rows[1:], pairs.items(), strict=True):
        assert (row["a"], row["b"]) == (ENCODERS[i], ENCODERS[j])
        assert (row["p"], row["p_adjusted"], row["n"]) == (p, adjusted, 14)
        assert row["study"] == "" and row["images"] is None and row["ci_low"] is None


def test_an_encoder_that_wins_everywhere_is_better(made) -> None:
    values = AUC.copy()
    values[:, 3] += 1
    assert verdict_against_the_last(made(values)[1]) == "worse"


def test_errors_are_better_when_low_and_bias_when_near_zero(made) -> None:
    errors = AUC.copy()
    errors[:, 3] += 1
    assert verdict_against_the_last(made(errors, "rmse")[1]) == "better"
    sides = np.where(np.arange(14)[:, None] % 2, errors, -errors)
    ranked, tested, _ = made(sides, "bias")
    assert verdict_against_the_last(tested) == "better"
    last = ranked.filter(pa.compute.equal(ranked["encoder"].cast("str"), "c45-m-cf"))
    assert set(last["rank"].to_pylist()) == {4.0}


def verdict_against_the_last(comparisons: pa.Table) -> str:
    (row,) = (
        row
        for row in comparisons.to_pylist()
        if (row["a"], row["b"]) == ("c45", "c45-m-cf")
    )
    return row["verdict"]


def test_five_data_sets_cannot_decide_a_pair_and_say_so(made) -> None:
    values = np.tile([0.1, 0.2, 0.3, 0.4], (5, 1)) + np.arange(5)[:, None] / 100
    rows = made(values)[1].to_pylist()[1:]
    assert {row["verdict"] for row in rows} == {"inconclusive"}
    assert {row["p"] for row in rows} == {0.0625}
    assert "no p below 0.0625" in rows[0]["note"]


def test_four_data_sets_are_refused(made) -> None:
    with pytest.raises(BakeoffError, match="at least 5 data sets"):
        made(AUC[:4])


def test_missing_and_undefined_values_are_named(tmp_path: Path) -> None:
    values = AUC[:5].copy()
    values[2, 1] = np.nan
    paths = tables(tmp_path, values, "accuracy")
    whole = pa.concat_tables(
        read_table(p, "metrics").replace_schema_metadata(None) for p in paths
    ).unify_dictionaries()
    expected = "no accuracy of x on d00, c45-m on d02, x on d02"
    with pytest.raises(BakeoffError, match=expected):
        over_studies.overall_values(
            whole,
            studies=["d00", "d02"],
            encoders=["c45-m", "x"],
            metric="accuracy",
            **WHERE,
        )


def test_both_tables_are_printed_for_papers(made) -> None:
    folder = made()[2]
    rows = list(csv.reader((folder / "ranks.csv").open(encoding="utf-8")))
    assert rows[0] == ["encoder", "mean_rank", *STUDIES]
    assert rows[1][0] == "c45-m-cf"
    assert [float(x) for x in rows[1][2:]] == AUC[:, 3].tolist()
    assert "Wilcoxon" in (folder / "tests.md").read_text("utf-8")
    assert r"\toprule" in (folder / "ranks.tex").read_text("utf-8")
