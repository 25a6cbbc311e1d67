"""What training changes: the trained parameters, and their running average."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from bakeoff.finetune.schedule import ema_decay


class Weights:
    """The parameters of a model that are trained, by name.

    `average` is their exponential moving average, empty where `decay` is 0.
    """

    def __init__(self, model: Any, decay: float) -> None:
        self.model, self.decay = model, decay
        self.average = self.copy() if decay else {}

    def now(self) -> dict[str, Tensor]:
        """The parameters themselves, without a graph."""
        return {
            name: parameter.detach()
            for name, parameter in self.model.named_parameters()
            if parameter.requires_grad
        }

    def copy(self) -> dict[str, Tensor]:
        """Their values of this moment."""
        return {name: value.clone() for name, value in self.now().items()}

    def load(self, values: Mapping[str, Tensor]) -> None:
        """Set all of them."""
        for name, value in self.now().items():
            value.copy_(values[name])

    def update_average(self, step: int) -> None:
        """Move the average towards the parameters after step 1, 2, ..."""
        share, now = 1 - ema_decay(step, self.decay), self.now()
        for name, mean in self.average.items():
            mean.lerp_(now[name], share)

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """The average in place of the parameters, where there is one."""
        last = self.copy()
        self.load(self.average or last)
        try:
            yield
        finally:
            self.load(last)

    def state(self) -> dict[str, Any]:
        """All of it, for a checkpoint."""
        return {"now": self.now(), "average": self.average}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what a checkpoint holds."""
        self.load(state["now"])
        for name, mean in self.average.items():
            mean.copy_(state["average"][name])


def full_copy(model: torch.nn.Module) -> dict[str, Tensor]:
    """Everything in a model's state, copied."""
    return {name: value.clone() for name, value in model.state_dict().items()}
