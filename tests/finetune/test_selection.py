"""Which weights are chosen on held-out images, and when choosing stops."""

import pytest
import torch
from bakeoff.finetune.ranks import Ranks
from bakeoff.finetune.selection import Selection
from bakeoff.finetune.weights import Weights
from torch import nn


class Scalar(nn.Module):
    """A model of one number."""

    def __init__(self) -> None:
        super().__init__()
        self.number = nn.Parameter(torch.zeros(()))


class Scores:
    """Accuracies by turns; remembers what the model was when it was asked."""

    def __init__(self, *scores: float) -> None:
        self.scores, self.seen = list(scores), []

    def accuracy(self, model: Scalar) -> float:
        self.seen.append(float(model.number.detach()))
        return self.scores.pop(0)


@pytest.fixture
def model() -> Scalar:
    return Scalar()


def select(weights: Weights, scores: Scores, patience: int = 0) -> Selection:
    """One evaluation after each step; step n sets the number to n."""
    chosen = Selection(scores, patience, Ranks())  # type: ignore[arg-type]
    for step in range(1, len(scores.scores) + 1):
        with torch.no_grad():
            weights.model.number.fill_(step)
        weights.update_average(step)
        chosen.evaluate(weights, step, "cpu")
        if chosen.exhausted:
            break
    return chosen


def test_the_average_is_judged_and_kept_and_training_goes_on_from_the_last(model):
    weights, scores = Weights(model, decay=0.5), Scores(0.1, 0.2)
    chosen = select(weights, scores)
    # Decays 2/11 and 3/12: 9/11, then 3/12 of that and 9/12 of 2.
    first, second = 9 / 11, 9 / 11 * 3 / 12 + 2 * 9 / 12
    assert scores.seen == pytest.approx([first, second])
    assert chosen.best is not None
    assert float(chosen.best["number"]) == pytest.approx(second)
    assert float(model.number.detach()) == 2


def test_without_an_average_the_weights_themselves_are(model):
    scores = Scores(0.1, 0.3, 0.2)
    chosen = select(Weights(model, decay=0), scores)
    assert scores.seen == [1, 2, 3]
    assert chosen.best is not None and float(chosen.best["number"]) == 2
    assert (chosen.step, chosen.score) == (2, 0.3)


def test_of_equal_scores_the_first_is_kept(model):
    chosen = select(Weights(model, decay=0), Scores(0.5, 0.5, 0.4))
    assert chosen.step == 1 and chosen.stale == 2


@pytest.mark.parametrize(("patience", "asked"), [(0, 6), (1, 3), (2, 5), (3, 6)])
def test_patience_counts_evaluations_without_a_gain(model, patience, asked):
    scores = Scores(0.1, 0.2, 0.2, 0.3, 0.3, 0.3)
    if patience == 2:
        scores = Scores(0.1, 0.2, 0.3, 0.3, 0.3, 0.3)
    select(Weights(model, decay=0), scores, patience)
    assert len(scores.seen) == asked
