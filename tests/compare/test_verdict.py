"""The verdict as text: what each kind must say, and must never say."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from bakeoff.compare.labels import default_band
from bakeoff.compare.rows import Question, Row, columns, decide, refusal
from bakeoff.stats.power import images_by_scaling
from bakeoff.stats.result import Chances, Result
from bakeoff.verdict import sentence, summary_verdict, turned, without_advice
from support.sentences import contradictions, random_family


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
        "Nadeau-Bengio corrected t",
        "p = 0.020",
        "P(better by more than 1.0 point) = 0.89",
        "P(within 1.0 point either way) = 0.10",
        "P(worse by more than 1.0 point) = 0.01.",
        "With 1,890 images like these a true difference of 2.0 points is found",
    ):
        assert part in text


def test_no_probability_is_certain():
    certain = row("a", "b", 0.022, 0.018, 0.02)
    certain.chances = Chances(0.9999, 0.0001, 0.0)
    (text,) = map(sentence, told(certain))
    assert "P(better by more than 1.0 point) > 0.99" in text
    assert "P(within 1.0 point either way) < 0.01" in text
    assert "P(worse by more than 1.0 point) < 0.01." in text


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


def one(given: Row) -> str:
    (text,) = map(sentence, told(given))
    return text


def fixed(given: Row, test: str = "cluster_sign_flip", n: int = 100) -> Row:
    """The same by a test on a fixed test set, of n images or groups."""
    result = replace(given.result, df=np.nan, n=n)
    return replace(given, test=test, result=result)


def test_a_real_difference_that_is_likely_too_small_says_so():
    """0.7 points, 0.3 to 1.1: there, and within the band of 1 point with chance .96."""
    small = row("a", "b", 0.007, 0.004, 0.0006)
    small.chances = Chances(0.04, 0.96, 0.0)
    text = one(small)
    assert text.startswith("a is slightly better than b: by 0.7 points in accuracy")
    assert "likely too small to matter, within 1.0 point." in text
    assert "beats" not in text
    assert "equivalent" not in text
    first, *_ = summary(small, row("a", "c", 0.1, 0.02, 1e-9))
    assert first == (
        "ridge on cv: Use a: it is better than c and slightly better than b."
    )


def test_p_and_interval_of_two_methods_are_named_apart():
    flips = fixed(row("a", "b", 0.022, 0.018, 0.02))
    assert (
        "95 % cluster bootstrap interval +0.4 to +4.0; sign-flip of whole groups, "
        in (one(flips))
    )
    paired = fixed(row("a", "b", 0.022, 0.018, 0.02), "mcnemar_midp")
    assert "95 % Tango interval +0.4 to +4.0; McNemar mid-p, adjusted p" in one(paired)


@pytest.mark.parametrize(("half", "p"), [(0.018, 0.062), (0.03, 0.01)])
def test_an_interval_and_a_p_that_disagree_give_no_verdict(half: float, p: float):
    text = one(fixed(row("a", "b", 0.022, half, p)))
    assert text.startswith("Inconclusive")
    assert "two methods that disagree here" in text


def test_the_power_of_five_groups_is_not_claimed():
    """Of 2^5 ways to flip five groups 2 are at least as extreme: p = .0625 or more."""
    text = one(fixed(row("a", "b", 0.2, 0.1, 0.0625, detectable=np.nan), n=5))
    assert "With 5 groups the test gives no p below 0.062, however large" in text
    assert "8 times out of 10" not in text


def test_no_difference_above_100_points():
    text = one(row("a", "b", 0.1, 1.35, 0.9, detectable=1.9))
    assert "95 % interval −100.0 to +100.0" in text
    assert "no possible difference would be found 8 times out of 10" in text
    text = one(row("a", "b", 0.1, 1.35, 0.9, metric="rmse", better="lower"))
    assert "−1.250 to +1.450" in text


def test_shares_of_bootstrap_samples_are_not_called_chances():
    text = one(fixed(row("a", "b", 0.022, 0.018, 0.02), "mcnemar_midp"))
    assert (
        "Of the bootstrap samples, 89 % better by more than 1.0 point, 10 % within "
        "1.0 point either way, 1 % worse by more than 1.0 point."
    ) in text
    assert "P(" not in text


def test_equivalence_is_adjusted_for_the_number_of_comparisons():
    """0.1 +- 0.85 points lies within the band; of ten pairs each needs more."""
    assert told(row("a", "b", 0.001, 0.0085, 0.8))[0]["verdict"] == "equivalent"
    many = told(*(row("a", f"b{k}", 0.001, 0.0085, 0.8) for k in range(10)))
    assert {r["verdict"] for r in many} == {"inconclusive"}
    assert "Alone this pair would be equivalent, within 1.0 point" in sentence(many[0])
    sure = told(*(row("a", f"b{k}", 0.001, 0.005, 0.8) for k in range(10)))
    assert {r["verdict"] for r in sure} == {"equivalent"}
    assert "two one-sided tests, adjusted p = 0.00" in sentence(sure[0])


def test_power_says_that_it_is_not_adjusted():
    unadjusted = "(for one pair, before adjustment for the number of comparisons)"
    assert unadjusted in one(row("a", "b", 0.022, 0.018, 0.02))
    assert unadjusted in one(row("a", "b", 0.012, 0.02, 0.3, detectable=0.03))


def test_macro_mae_is_in_label_units():
    given = row("a", "b", -0.2, 0.1, 0.01, metric="macro_mae", better="lower")
    assert one(given).startswith("a beats b by 0.200 label units in macro MAE")
    assert default_band("macro_mae") == 0.05


def test_numbers_are_as_long_as_the_verdict_needs():
    text = one(row("a", "b", 0.0104, 0.01002, 0.0497))
    assert "+0.04 to +2.0" in text
    assert "adjusted p = 0.0497" in text
    text = one(row("a", "b", 0.0002, 0.0099, 0.9))
    assert text.startswith("Inconclusive: a is ahead of b by 0.02 points in accuracy")
    assert "−0.97 to +1.01" in text


def test_the_conservative_bound_stands_beside_the_primary_interval():
    primary = row("a", "b", 0.022, 0.018, 0.02)
    wide = replace(row("a", "b", 0.022, 0.05, 1.0), test="sum_of_errors", primary=False)
    _, text = summary(primary, wide)
    assert "95 % interval +0.4 to +4.0" in text
    assert "how the two vary together is −2.8 to +7.2 and includes zero." in text
    narrow = replace(
        row("a", "b", 0.022, 0.02, 1.0), test="sum_of_errors", primary=False
    )
    assert "+0.2 to +4.2 and excludes zero." in summary(primary, narrow)[1]


def test_a_single_split_compares_trained_models():
    split = fixed(row("a", "b", 0.1, 0.02, 1e-9), "mcnemar_midp")
    first, second, *_ = summary(split)
    assert first == "ridge on cv: Use a, as trained here: it is better than b."
    assert "these trained models, not about the encoders" in second
    untrained = replace(split, question=replace(split.question, method="zeroshot"))
    assert summary(untrained)[0] == "zeroshot on cv: Use a: it is better than b."
    tuned = replace(untrained, question=replace(untrained.question, b="b+recipe"))
    assert summary(tuned)[0].startswith("zeroshot on cv: Use a, as trained here")
    folds = summary(row("a", "b", 0.1, 0.02, 1e-9))
    assert not any("trained" in text for text in folds)


def test_sentences_of_random_rows_contradict_nothing():
    """`benchmarks/verdict_sentences.py` does the same for 20,000 rows."""
    rows = [r for k in range(120) for r in random_family(np.random.default_rng([0, k]))]
    wrong = {sentence(r): w for r in rows if (w := contradictions(r, sentence(r)))}
    assert wrong == {}
    assert {r["verdict"] for r in rows} == {
        *("better", "worse", "equivalent", "inconclusive")
    }


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


def test_a_control_never_wins_quietly():
    rows = [
        row("noise", "a", 0.05, 0.02, 0.01),
        row("noise", "b", 0.02, 0.04, 0.3),
        row("a", "b", -0.03, 0.04, 0.2),
    ]
    texts = summary(*rows, control="noise")
    assert "Nothing was learned: the control noise leads (better than a" in texts[0]
    assert "not told from b" in texts[0]
    assert "Use noise" not in texts[0]
    assert (
        "noise leads, but" in summary(*rows)[0] or "noise leads (" in summary(*rows)[0]
    )


def test_a_leader_that_learned_nothing_is_not_advised():
    for middle in ("", ", as trained here"):
        told = without_advice(f"Use a{middle}: it is better than b.")
        assert told == "Of these encoders, a leads: it is better than b."
    other = "a leads, but these images cannot tell it from b."
    assert without_advice(other) == other
