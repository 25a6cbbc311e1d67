"""A bias of either sign is worse than none: compared by its distance from zero."""

import numpy as np
import pytest
from bakeoff.compare.over_folds import over_folds
from bakeoff.compare.rows import Question
from support.comparisons import primary, rows_of

QUESTION = Question("s", "m", "p", "bias", "", "a", "b", "zero", 0.05, 100)
ONCE = np.zeros(6)


def over(a, b):
    return over_folds(QUESTION, np.array(a), np.array(b), 0.5, ONCE, 0.95)[0].result


def test_runs_of_both_signs_cancel_before_distances_are_compared():
    """0.1 on average, though each run is off by about 1; the other always by -0.5."""
    a = [1.1, -0.9, 1.1, -0.9, 1.1, -0.9]
    assert over(a, [-0.5] * 6).estimate == pytest.approx(0.1 - 0.5)


@pytest.mark.parametrize(("first", "second"), [(-1, 1), (1, -1), (-1, -1)])
def test_the_side_of_the_error_does_not_matter(first, second):
    rng = np.random.default_rng(0)
    a, b = 0.3 + rng.normal(0, 0.02, 6), 0.8 + rng.normal(0, 0.02, 6)
    assert over(first * a, second * b) == over(a, b)


def test_on_fixed_images_too(study):
    """A reads 20 images too old, b 40 too young: a is nearer to the truth by 0.1."""
    made = study(200, kind="kfold", folds=4)
    run = {"repeat": np.zeros(200, int), "fold": np.asarray(made.folds["fold"])}
    middle = np.flatnonzero((made.truth == 1) | (made.truth == 2))
    for encoder, count, step in (("a", 20, 1), ("b", 40, -1)):
        guess = made.truth.copy()
        guess[middle[:count]] += step
        made.add(encoder, "zeroshot", np.arange(200), guess, run)
    row = primary(rows_of(made), "bias")
    assert row["estimate"] == pytest.approx(0.1 - 0.2)
    assert row["ci_low"] < row["ci_high"] < 0 and row["p_better"] > 0.9
