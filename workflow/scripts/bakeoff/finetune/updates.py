"""From a gradient to new parameters: rates, scaling, clipping, AdamW, limits."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from bakeoff.finetune.diagnosis import stop_unless_finite
from bakeoff.finetune.model import parameter_groups
from bakeoff.finetune.recipe import Recipe
from bakeoff.finetune.schedule import clamp_scale, cosine_with_warmup, scale_at


class Updates:
    """The optimiser of a training of `steps` steps."""

    def __init__(self, model: Any, recipe: Recipe, steps: int, device: str) -> None:
        self.model, self.recipe, self.steps = model, recipe, steps
        groups = parameter_groups(model, recipe)
        self.optimiser = torch.optim.AdamW(groups, betas=(0.9, recipe.beta2))
        kind, fp16 = torch.device(device).type, recipe.precision == "fp16"
        self.scaler = torch.amp.GradScaler(kind, enabled=fp16)
        self.initial_scale = self.scale()

    def begin(self, step: int) -> float:
        """Set the step's rates, forget former gradients; the factor of the loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * self.rate(step)
        if self.recipe.scale_end is not None:
            end = self.recipe.scale_end
            value = scale_at(step, self.steps, self.initial_scale, end)
            with torch.no_grad():
                self.model.logit_scale.fill_(value).log_()
        self.optimiser.zero_grad(set_to_none=True)
        # The scaler makes its factor when it first scales something.
        one = torch.ones((), device=self.model.logit_scale.device)
        return float(self.scaler.scale(one))

    def unscale(self) -> None:
        """Take the factor out of the gradients."""
        self.scaler.unscale_(self.optimiser)

    def apply(self, norm: float, step: int) -> bool:
        """Update; whether anything changed (an fp16 overflow is skipped).

        `norm` is that of all gradients, which must be finite in other precisions.
        """
        if not self.scaler.is_enabled():
            stop_unless_finite("gradient", norm, step, self.recipe, self.scale())
        if self.recipe.clip is not None:
            torch.nn.utils.clip_grad_norm_(self._with_gradient(), self.recipe.clip)
        before = self.scaler.get_scale()
        self.scaler.step(self.optimiser)
        self.scaler.update()
        if self.recipe.scale_end is None:
            highest = self.recipe.scale_max
            clamp_scale(self.model.logit_scale, self.initial_scale, highest)
        return self.scaler.get_scale() >= before

    def rate(self, step: int) -> float:
        """The share of its peak at which every rate stands."""
        return cosine_with_warmup(step, self.steps, self.recipe.warmup)

    def scale(self) -> float:
        """The multiplier of the cosines."""
        return float(self.model.logit_scale.detach().exp())

    def bias(self) -> float | None:
        """The bias of the sigmoid loss, if the model has one."""
        bias = self.model.logit_bias
        return None if bias is None else float(bias.detach())

    def state(self) -> dict[str, Any]:
        """All of it, for a checkpoint."""
        return {
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what a checkpoint holds."""
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])

    def _with_gradient(self) -> list[Tensor]:
        return [p for p in self.model.parameters() if p.grad is not None]
