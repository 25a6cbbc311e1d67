"""Which weights of a training are kept: the last, or the best on held-out images."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from bakeoff.finetune.evaluate import Judge
from bakeoff.finetune.ranks import Ranks
from bakeoff.finetune.weights import Weights


class Selection:
    """The best weights so far, and how long ago they were found.

    Without a judge nothing is selected: `best` stays None. `patience` counts
    evaluations without a gain; 0 never stops.
    """

    def __init__(self, judge: Judge | None, patience: int, ranks: Ranks) -> None:
        self.judge, self.patience, self.ranks = judge, patience, ranks
        self.best: dict[str, Tensor] | None = None
        self.score, self.step, self.stale = -1.0, 0, 0

    def evaluate(self, weights: Weights, step: int, device: str) -> None:
        """Keep the weights (their average, where there is one) if they are the best."""
        if self.judge is None:
            return
        with weights.averaged():
            accuracy = self.judge.accuracy(weights.model)
            # One number for all processes, which must agree when to stop.
            score = self.ranks.mean(accuracy, device)
            self.stale += 1
            if score > self.score:
                self.score, self.step, self.stale = score, step, 0
                self.best = weights.copy()

    @property
    def exhausted(self) -> bool:
        """Whether it is time to stop."""
        return 0 < self.patience <= self.stale

    def state(self) -> dict[str, Any]:
        """All of it, for a checkpoint."""
        names = ("best", "score", "step", "stale")
        return {name: getattr(self, name) for name in names}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what a checkpoint holds."""
        for name, value in state.items():
            setattr(self, name, value)
