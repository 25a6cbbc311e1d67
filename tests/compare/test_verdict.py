"""The verdict in words: what each kind must say, and must never say."""

import numpy as np
import pyarrow as pa
import pytest
from bakeoff.compare.rows import Question, Row, columns, decide, refusal
from bakeoff.stats.power import images_by_scaling
from bakeoff.stats.result import Chances, Result
from bakeoff.verdict import sentence, summary_verdict, turned


def row(
    a: str,
    b: str,
    estimate: float,
    half: float,
    p: float,
    *,
    metric: str = "accuracy",
    better: str = "higher",
    band: float = 0.01,
    detectable: float = 0.02,
) -> Row:
    question = Question("demo", "ridge", "cv", metric, "", a, b, better, band, 1890)
    result = Result(100, estimate, estimate - half, estimate + half, 2.0, 99, p)
    chances = Chances(0.89, 0.10, 0.01)
    return Row(question, "corrected_t", True, result, 0.95, chances, detectable)


def told(*rows: Row) -> list[dict]:
    decide(rows)
    return pa.table(columns(list(rows))).to_pylist()


def test_better_says_everything():
    (text,) = map(sentence, told(row("SigLIP", "CLIP", 0.022, 0.018, 0.02)))
    for part in (
        "SigLIP beats CLIP by 2.2 points in accuracy",
        "95 % interval +0.4 to +4.0",
        "corrected t per image",
        "p = 0.020",
        "P(better by more than 1.0 point) = 0.89",
        "P(equivalent) = 0.10",
        "With 1,890 images like these a true difference of 2.0 points is found",
    ):
        assert part in text


def test_no_probability_is_certain():
    certain = row("a", "b", 0.022, 0.018, 0.02)
    certain.chances = Chances(0.9999, 0.0001, 0.0)
    (text,) = map(sentence, told(certain))
    assert "P(better by more than 1.0 point) > 0.99, P(equivalent) < 0.01" in text
    assert "P(worse) < 0.01." in text


def test_worse_is_the_same_the_other_way_round():
    (given,) = told(row("CLIP", "SigLIP", -0.022, 0.018, 0.02))
    assert "CLIP is worse than SigLIP by 2.2 points" in sentence(given)
    assert "+0.4 to +4.0" in sentence(given)
    assert sentence(turned(given)).startswith("SigLIP beats CLIP by 2.2 points")
    assert turned(turned(given)) == given


def test_a_lower_error_beats():
    (text,) = map(
        sentence,
        told(row("a", "b", -0.2, 0.1, 0.01, metric="rmse", better="lower", band=0.05)),
    )
    assert text.startswith("a beats b by 0.200 label units in RMSE")
    assert "+0.100 to +0.300" in text


def test_equivalent_needs_the_interval_in_the_band():
    inside, outside = told(
        row("a", "b", 0.002, 0.006, 0.5), row("a", "c", 0.002, 0.009, 0.5)
    )
    assert "are equivalent in accuracy" in sentence(inside)
    assert "band of 1.0 point." in sentence(inside)
    assert outside["verdict"] == "inconclusive"


def test_a_real_difference_that_is_too_small_to_matter_is_equivalent():
    (given,) = told(row("a", "b", 0.005, 0.004, 0.001))
    assert given["verdict"] == "equivalent"


def test_inconclusive_says_what_would_settle_it():
    (text,) = map(sentence, told(row("a", "b", -0.012, 0.02, 0.3, detectable=0.03)))
    assert text.startswith("Inconclusive: a is behind b by 1.2 points")
    assert "no difference" not in text
    needed = images_by_scaling(1890, 0.03, 0.012)
    assert needed == 11_813
    assert "with about 12,000, one of 1.2 points" in text


def test_many_comparisons_can_take_a_verdict_away():
    rows = [row("a", f"b{k}", 0.022, 0.018, 0.02) for k in range(4)]
    texts = [sentence(r) for r in told(*rows)]
    assert all(t.startswith("Inconclusive") for t in texts)
    assert all("Alone this pair has p = 0.020" in t for t in texts)


def test_refusal_gives_its_reason():
    question = row("a", "b", 0, 0, 1).question
    (given,) = told(refusal(question, "groups straddle", 0.95))
    assert sentence(given) == "No test of a against b in accuracy: groups straddle."


def test_other_rows_have_no_sentence():
    other = row("a", "b", 0.022, 0.018, 0.02)
    other.primary = False
    with pytest.raises(ValueError, match="no verdict rests"):
        sentence(told(other)[0])


def summary(*rows: Row, metrics=("accuracy",), control=None) -> list[str]:
    decide(rows)
    table = pa.table(columns(list(rows)))
    return summary_verdict(table, metrics, control=control)


def test_another_metric_may_turn_the_order():
    error = {"metric": "rmse", "better": "lower", "band": 0.05}
    texts = summary(
        row("a", "b", 0.1, 0.02, 1e-9),
        row("a", "b", 0.2, 0.02, 1e-9, **error),
        metrics=("accuracy", "rmse"),
    )
    assert texts[0] == "ridge on cv: Use a: it is better than b."
    assert texts[2].startswith("By another metric the order turns: b beats a by 0.200")


def test_a_clear_winner():
    first, *others = summary(
        row("a", "b", 0.1, 0.02, 1e-9),
        row("a", "c", 0.2, 0.02, 1e-9),
        row("b", "c", 0.1, 0.02, 1e-9),
    )
    assert first == "ridge on cv: Use a: it is better than b and c."
    assert len(others) == 2


def test_a_leader_that_cannot_be_told_apart():
    first, *_ = summary(
        row("a", "b", -0.01, 0.02, 0.3),
        row("a", "c", 0.2, 0.02, 1e-9),
        row("b", "c", 0.21, 0.02, 1e-9),
    )
    assert first == (
        "ridge on cv: b leads (better than c), but these images cannot tell it from a."
    )


def test_every_encoder_must_beat_the_control():
    rows = [
        row("a", "noise", 0.1, 0.02, 1e-9),
        row("a", "b", 0.1, 0.02, 1e-9),
        row("b", "noise", 0.001, 0.02, 0.9),
    ]
    texts = summary(*rows, control="noise")
    assert "b does not beat the control noise" in texts[1]
    assert "Every encoder beats" in summary(rows[0], control="noise")[1]


def test_refused_studies_and_empty_ones():
    question = row("a", "b", 0, 0, 1).question
    texts = summary(refusal(question, "groups straddle", 0.95))
    assert texts == ["ridge on cv: No verdict, because groups straddle."]
    assert summary(row("a", "b", 0, 0.1, 1), metrics=["qwk"])[0].startswith(
        "No verdict"
    )


def test_no_interval_is_inconclusive():
    bare = row("a", "b", 0.5, np.nan, 0.001)
    bare.note = "too few"
    (given,) = told(bare)
    assert given["verdict"] == "inconclusive"
    assert "Note: too few." in sentence(given)
