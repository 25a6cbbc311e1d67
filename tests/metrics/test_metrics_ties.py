"""Classes with equal scores: the first in order is taken first, as by argmax."""

import numpy as np
from bakeoff.metrics.ranking import top_k_terms


def test_top_k_with_ties_by_hand():
    s = np.array([[1.0, 1.0, 1.0]] * 3 + [[0.0, 2.0, 2.0]])
    y = np.array([0, 1, 2, 2])
    assert top_k_terms(s, y, 1).tolist() == [1, 0, 0, 0]
    assert top_k_terms(s, y, 2).tolist() == [1, 1, 0, 1]
    assert (top_k_terms(s, y, 1) == (s.argmax(axis=1) == y)).all()


def test_scores_that_say_nothing_are_no_hits():
    y = np.repeat(np.arange(4), 5)
    assert top_k_terms(np.zeros((20, 4)), y, 1).mean() == 1 / 4
    assert top_k_terms(np.zeros((20, 4)), y, 2).mean() == 2 / 4
