"""Whether a verdict depends on its probe's setting: by hand, digits, something like cloth."""

import numpy as np
import pyarrow as pa
import pytest
from bakeoff.dependence import instability, lead_by_setting
from bakeoff.sensitivity import sensitivity_rows
from sklearn.datasets import load_digits

RUN = ("cv", "probe")


def table_of(scores, *, metric="accuracy", runs=None, check=(60, 58, 61)):
    """scores[encoder]: one per value 0.1, 1, 10; check: hits, fewest and most of 100."""
    hits, fewest, most = check
    same = {
        "protocol": "cv",
        "method": "probe",
        "setting": "C",
        "metric": metric,
        "n": 100,
    }
    rows = []
    for encoder, values in scores.items():
        own = same | {"encoder": encoder, "hits": hits}
        rows.append(
            own | {"value": None, "score": 0.6, "runs": 10, "left_out": 10,
                   "fewest": fewest, "most": most}
        )  # fmt: skip
        for place, (value, score) in enumerate(
            zip((0.1, 1.0, 10.0), values, strict=True)
        ):
            used = (runs or [0, 10, 0])[place]
            rows.append(own | {"value": value, "score": score, "runs": used,
                               "hits": round(100 * score), "left_out": None,
                               "fewest": None, "most": None})  # fmt: skip
    return pa.Table.from_pylist(rows)


def test_a_lead_that_holds():
    table = table_of({"a": (0.5, 0.6, 0.6), "b": (0.4, 0.5, 0.6)})
    assert lead_by_setting(table, RUN, "a") == "The lead holds for C from 0.1 to 10."
    assert lead_by_setting(table_of({"a": (0.1, 0.2, 0.3)}), RUN, "a") == ""
    assert lead_by_setting(table, ("cv", "other"), "a") == ""


def test_a_lead_that_turns():
    table = table_of({"a": (0.5, 0.6, 0.5), "b": (0.4, 0.5, 0.6)})
    assert lead_by_setting(table, RUN, "a") == (
        "The lead turns with the setting at C 10: a leads for C from 0.1 to 1, b leads "
        "for C 10 (used: C 1)."
    )


def test_of_errors_the_smallest_leads():
    table = table_of({"a": (0.5, 0.6, 0.5), "b": (0.4, 0.5, 0.4)}, metric="rmse")
    assert lead_by_setting(table, RUN, "b") == "The lead holds for C from 0.1 to 10."


def test_one_image_and_the_edge_are_told():
    steady = table_of({"a": (0.1, 0.2, 0.3)})
    assert instability(steady, RUN, nested=True) == []
    (text,) = instability(
        table_of({"a": (0, 0, 0)}, check=(60, 40, 61)), RUN, nested=True
    )
    assert (
        "without a single training image its accuracy is 40.0 % instead of 60.0 %"
        in text
    )
    edge = table_of({"a": (0.1, 0.2, 0.3)}, runs=[1, 3, 6])
    (text,) = instability(edge, RUN, nested=True)
    assert "6 of 10 runs choose the last value that was tried, C 10" in text
    assert instability(edge, RUN, nested=False) == []
    half = table_of({"a": (0.1, 0.2, 0.3)}, runs=[5, 5, 0])
    assert instability(half, RUN, nested=True) == []


def test_an_edge_beyond_which_nothing_changes_is_not_told():
    flat = table_of({"a": (0.3, 0.3, 0.2)}, runs=[10, 0, 0])
    assert instability(flat, RUN, nested=True) == []


def test_many_turns_are_counted():
    rows = []
    for place in range(9):
        for encoder, ahead in (("a", place % 2 == 0), ("b", place % 2 == 1)):
            rows += table_of({encoder: (0.6 if ahead else 0.5,) * 3}).to_pylist()[1:2]
            rows[-1] |= {"value": 10.0**place, "runs": int(place == 2)}
    told = lead_by_setting(pa.Table.from_pylist(rows), RUN, "a")
    assert told == (
        "The lead turns 8 times: a leads for 5 of 9 values, b leads for 4 of 9 values "
        "(used: C 100)."
    )


def tables(studies, **settings):
    rows = [
        sensitivity_rows(
            s.embeddings, s.manifest, s.folds, settings=settings, labels="nominal",
            seed=1, metric="accuracy", encoder=encoder, study="s", method="probe",
            protocol="cv",
        )
        for encoder, s in studies.items()
    ]  # fmt: skip
    return pa.concat_tables([pa.table(r) for r in rows], promote_options="permissive")


@pytest.fixture(scope="module")
def digits(study_of):
    """Digits as pixels in a narrow cone, and as random features of the same pixels."""
    x, y = load_digits(return_X_y=True)
    x, y = x[:400] / 16, y[:400]
    random = np.maximum(x @ np.random.default_rng(0).normal(size=(64, 24)), 0)
    protocol = {"kind": "kfold", "folds": 5}
    cone = np.column_stack([x, np.full(len(x), 20.0)])
    return {
        n: study_of(v, y, protocol=protocol)
        for n, v in (("pixels", cone), ("random", random))
    }


def best(table):
    rows = [r for r in table.to_pylist() if r["value"] is None]
    return max(rows, key=lambda r: r["score"])["encoder"]


def test_on_digits_a_fixed_penalty_puts_random_features_first_and_says_so(digits):
    table = tables(digits, kind="ridge", alpha=6.0)
    assert best(table) == "random"
    text = lead_by_setting(table, RUN, "random")
    assert text.startswith("The lead turns with the setting at alpha")
    assert "pixels leads for alpha from 1e-06 to" in text
    assert "(used: alpha 6)" in text


def test_on_digits_a_chosen_penalty_puts_the_pixels_first_over_the_whole_grid(digits):
    table = tables(digits, kind="ridge", alpha="nested", rescale=True)
    assert best(table) == "pixels"
    text = lead_by_setting(table, RUN, "pixels")
    assert text == "The lead holds for alpha from 1e-06 to 10,000."
    assert instability(table, RUN, nested=True) == []


def cloth(study_of, gap, seed):
    """Two kinds of cloth in a narrow cone, as photographs of one thing are."""
    rng = np.random.default_rng(seed)
    y = np.arange(160) % 2 + 1
    x = 1 + 0.3 * rng.normal(size=(160, 48)) + (gap * rng.normal(size=(2, 48)))[y - 1]
    return study_of(x, y, protocol={"kind": "kfold", "folds": 8})


@pytest.mark.parametrize(
    ("settings", "unstable"),
    [
        ({"C": 0.1}, True),
        ({"C": 10.0}, False),
        ({"C": "nested", "rescale": True}, False),
    ],
    ids=str,
)
def test_on_cloth_one_image_decides_at_c_0_1_alone(study_of, settings, unstable):
    studies = {"good": cloth(study_of, 0.12, 1), "poor": cloth(study_of, 0.05, 2)}
    table = tables(studies, kind="svc", **settings)
    found = instability(table, RUN, nested=settings["C"] == "nested")
    assert any("without a single training image" in text for text in found) == unstable
    assert best(table) == "good"
    assert lead_by_setting(table, RUN, "good").startswith(
        "The lead holds for C from 0.1"
    )
