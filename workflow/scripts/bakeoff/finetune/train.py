"""Fine-tuning: from an encoder and labelled images to another encoder.

    the training images, less those that the recipe chooses on
    each step: pictures, prompts and memory -> exact gradient -> AdamW
    at the end of an epoch: accuracy on the held-out images, if there are any
    at the end: the best or averaged weights, interpolated, saved as an encoder

Stops with BakeoffError where the loss or a gradient is not finite, and with
`signals.Interrupted` (exit status 75) after SIGTERM or SIGUSR1; started again with the
same arguments, it goes on from the last checkpoint and ends with the same weights.
"""

import contextlib
import dataclasses
import hashlib
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from bakeoff.finetune import checkpoint
from bakeoff.finetune.batches import Batches, Labels, loss_of
from bakeoff.finetune.dataset import BankRow, Dataset, dataset, held_out
from bakeoff.finetune.diagnosis import check_classes, explain_batch, stop_unless_finite
from bakeoff.finetune.evaluate import Judge, best_share, interpolated
from bakeoff.finetune.log import Log, tower_norms
from bakeoff.finetune.memory import Memory
from bakeoff.finetune.model import (
    Encoder,
    adapted,
    load,
    parameter_groups,
    prepare,
    train_mode,
)
from bakeoff.finetune.negatives import hard_prompts
from bakeoff.finetune.pictures import Pictures
from bakeoff.finetune.ranks import Ranks, joined
from bakeoff.finetune.recipe import Recipe
from bakeoff.finetune.sampler import Sampler
from bakeoff.finetune.save import save_encoder
from bakeoff.finetune.schedule import (
    clamp_scale,
    cosine_with_warmup,
    ema_decay,
    scale_at,
)
from bakeoff.finetune.sigmoid import BoundSigmoid
from bakeoff.finetune.signals import AbandonStep, Interrupted, Watch, watched
from bakeoff.finetune.stepping import Gradient, Step, Stepping, accumulate

_DRIFT_IMAGES = 32
_PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16}

log = logging.getLogger(__name__)


def finetune(
    manifest: pa.Table,
    images: Path,
    train_ids: Iterable[str],
    bank: Sequence[BankRow],
    encoder_folder: Path,
    recipe: Recipe,
    out: Path,
    state: Path,
    *,
    seed: int,
    device: str = "cpu",
    threads: int = 1,
) -> pa.Table:
    """The rows of the `training` table; the encoder is written to the folder `out`.

    `manifest` is the table of that name and `images` the folder that its paths start
    from; only the images `train_ids` are ever opened. `bank` holds (class, template,
    text). `encoder_folder` is an open_clip folder of weights. `state` is a folder for
    checkpoints, which must outlive a killed job.

    On the CPU the weights are a function of the arguments to the bit, however often the
    training was interrupted. Under torchrun, or one SLURM task per device, all
    processes call this with the same arguments; the first one writes.
    """
    data = dataset(manifest, Path(images), train_ids, bank)
    torch.set_num_threads(max(1, threads))
    with joined(device) as ranks, watched() as watch:
        place = _own_device(device, ranks)
        training = Training(
            data, Path(encoder_folder), recipe, Path(state), seed, place, threads, ranks
        )
        with contextlib.closing(training):
            training.restore()
            training.run(watch)
            training.finish(Path(out))
    return training.log.table()


class Training:
    """The state of one training, all of which a checkpoint holds."""

    def __init__(
        self,
        data: Dataset,
        folder: Path,
        recipe: Recipe,
        state: Path,
        seed: int,
        device: str,
        threads: int,
        ranks: Ranks,
    ) -> None:
        self.recipe, self.folder, self.seed = recipe, folder, seed
        self.device, self.threads, self.ranks = device, threads, ranks
        self.file = state / "checkpoint.pt"
        self.fingerprint = _fingerprint(data, folder, recipe, seed)
        encoder = load(folder, device)
        self.model: Any = encoder.model
        self.tokens = encoder.tokenize(data.bank.texts).to(device)
        self._divide(data, encoder)
        self._prepare_model()
        self._prepare_optimiser()
        self.done, self.log = 0, Log()
        self.best: dict[str, Any] = {}

    def close(self) -> None:
        """End the reading threads."""
        self.pictures.close()
        if self.judge is not None:
            self.judge.pictures.close()

    def run(self, watch: Watch) -> None:
        """Train until the last step, or until the held-out images say stop."""
        how = self._stepping(watch)
        bar = tqdm(
            total=self.steps,
            initial=self.done,
            unit="step",
            mininterval=0.5 if sys.stderr.isatty() else 30,  # seconds; spares log files
            disable=self.ranks.rank > 0,
        )
        with bar:
            while self.done < self.steps and not self._exhausted():
                try:
                    row = self.step(self.done + 1, how)
                except AbandonStep:
                    self._leave()
                self.log.add(row)
                self.done += 1
                bar.update()
                bar.set_postfix(loss=f"{row['loss']:.4g}", lr=f"{row['lr']:.2g}")
                self._after_step(watch)
        self.write()

    def step(self, step: int, how: Stepping) -> dict[str, float | None]:
        """One optimiser step; its row of the training table."""
        started = time.perf_counter()
        labels = self.batches.labels(step, self.memory)
        self._set_rates(step)
        self.optimiser.zero_grad(set_to_none=True)
        # The scaler makes its factor when it first scales something.
        factor = float(self.scaler.scale(torch.ones((), device=self.device)))
        how = dataclasses.replace(how, grad_factor=factor)
        found = accumulate(self.model, self._data(labels), how, self.seed + step)
        stop_unless_finite("loss", float(found.loss), step, self.recipe, self._scale())
        self.scaler.unscale_(self.optimiser)
        norms = tower_norms(self.model)
        drift = self._drift(step)
        if self._apply(norms["grad_norm"] or 0.0, step):
            self._after_update(labels, found, step)
        seconds = time.perf_counter() - started
        return {
            "step": step,
            "epoch": step * self.recipe.batch / self.batches.sampler.n,
            "loss": float(found.loss),
            "floor": labels.bound.floor,
            "lr": self.recipe.lr * self._rate(step),
            "temperature": self._scale(),
            "bias": self._bias(),
            "samples_per_s": self.recipe.batch / seconds,
            "drift": drift,
            **norms,
            "step_seconds": seconds,
        }

    def restore(self) -> None:
        """Go on from the last checkpoint, if there is one."""
        state = checkpoint.read(self.file, self.fingerprint)
        if state is None:
            return
        self._load_trained(state["weights"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
        if self.memory is not None:
            self.memory.load_state_dict(state["memory"])
        self.average = {k: v.to(self.device) for k, v in state["average"].items()}
        self.best, self.done = state["best"], state["done"]
        self.log = Log(state["log"])
        log.info("continues after step %d of %d", self.done, self.steps)

    def write(self) -> None:
        """Write a checkpoint of the last complete step."""
        if self.ranks.rank == 0:
            state = {
                "weights": self._trained(),
                "optimiser": self.optimiser.state_dict(),
                "scaler": self.scaler.state_dict(),
                "memory": {} if self.memory is None else self.memory.state_dict(),
                "average": self.average,
                "best": self.best,
                "done": self.done,
                "log": self.log.rows,
            }
            checkpoint.write(self.file, self.fingerprint, state)
        self.ranks.wait()

    def finish(self, out: Path) -> None:
        """Choose the final weights and write the encoder."""
        self._load_trained(self.best.get("weights") or self.average or self._trained())
        model = self.adapters.merge_and_unload() if self.adapters else self.model
        share = self._interpolate(model)
        if self.ranks.rank == 0:
            note = {
                "recipe": dataclasses.asdict(self.recipe),
                "seed": self.seed,
                "steps": self.done,
                "best_step": self.best.get("step", self.done),
                "wise": share,
            }
            save_encoder(model, self.folder, out, note)
        self.ranks.wait()

    def _divide(self, data: Dataset, encoder: Encoder) -> None:
        """Images to train on, and the judge that holds the others."""
        check_classes(self.recipe, data.classes)
        self.judge = None
        if self.recipe.validation:
            rows, others = held_out(data, self.recipe.validation, self.seed)
            chosen, data = data.part(others), data.part(rows)
            pictures = self._pictures(chosen, encoder)
            self.judge = Judge(chosen, pictures, self.tokens, self.recipe.micro_batch)
        self.pictures = self._pictures(data, encoder)
        sampler = Sampler(len(data), self.recipe.batch, self.seed)
        self.steps = sampler.steps(self.recipe.epochs)
        explain_batch(self.recipe, len(data), self.steps)
        loss, hard = loss_of(self.recipe), self._hard_prompts(data)
        self.batches = Batches(data, sampler, loss, hard, self.device)

    def _pictures(self, data: Dataset, encoder: Encoder) -> Pictures:
        special = self.recipe.class_augmentation
        default = self.recipe.augmentation
        return Pictures(
            data.files,
            [special.get(data.classes[label], default) for label in data.labels],
            _read,
            encoder.preprocess,
            seed=self.seed,
            threads=self.threads,
            device=self.device,
        )

    @torch.no_grad()
    def _hard_prompts(self, data: Dataset) -> Tensor | None:
        if not self.recipe.hard_negatives:
            return None
        chunks = self.tokens.split(self.recipe.text_chunk)
        texts = torch.cat([self.model.encode_text(chunk).float() for chunk in chunks])
        classes = torch.as_tensor(data.bank.classes, device=self.device)
        return hard_prompts(texts, classes, self.recipe.hard_negatives)

    def _prepare_model(self) -> None:
        bound = self.batches.labels(1, None).bound
        fraction = bound.positive_fraction if isinstance(bound, BoundSigmoid) else None
        prepare(self.model, self.recipe, fraction)
        self.initial_scale = self._scale()
        self.before: dict[str, Tensor] = {}
        if self.recipe.wise != 1:
            weights = self.model.state_dict().items()
            self.before = {name: value.clone() for name, value in weights}
        lora = self.recipe.lora_rank > 0
        self.adapters = adapted(self.model, self.recipe, self.seed) if lora else None
        train_mode(self.model, self.recipe)

    def _prepare_optimiser(self) -> None:
        recipe, device = self.recipe, self.device
        groups = parameter_groups(self.model, recipe)
        self.optimiser = torch.optim.AdamW(groups, betas=(0.9, recipe.beta2))
        kind = torch.device(device).type
        self.scaler = torch.amp.GradScaler(kind, enabled=recipe.precision == "fp16")
        copies = {name: value.clone() for name, value in self._trained().items()}
        self.average = copies if recipe.ema else {}
        self.memory: Memory | None = None
        if recipe.queue:
            with torch.no_grad():
                dimension = self.model.encode_text(self.tokens[:1]).shape[1]
            self.memory = Memory(
                recipe.queue,
                dimension,
                keep_texts=recipe.queue_texts == "stored",
                dtype=torch.float16
                if recipe.queue_precision == "fp16"
                else torch.float32,
                start=recipe.queue_start,
                ramp=recipe.queue_ramp,
                weight=recipe.queue_weight,
            ).to(device)

    def _stepping(self, watch: Watch) -> Stepping:
        """Several processes leave together, after a step; one may leave within one."""
        return Stepping(
            self.recipe.micro_batch,
            self.recipe.text_chunk,
            self.ranks,
            _autocast(self.recipe, self.device),
            between=watch.check if self.ranks.size == 1 else _nothing,
        )

    def _data(self, labels: Labels) -> Step:
        return Step(
            labels.bound,
            labels.images,
            self.pictures.batch(labels.samples, labels.epochs),
            self.tokens[labels.texts.prompts],
            labels.queued_images,
            labels.queued_texts,
        )

    def _rate(self, step: int) -> float:
        return cosine_with_warmup(step, self.steps, self.recipe.warmup)

    def _set_rates(self, step: int) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * self._rate(step)
        if self.recipe.scale_end is not None:
            value = scale_at(
                step, self.steps, self.initial_scale, self.recipe.scale_end
            )
            with torch.no_grad():
                self.model.logit_scale.fill_(value).log_()

    def _apply(self, norm: float, step: int) -> bool:
        """Clip, update; whether anything was updated (an fp16 overflow is skipped)."""
        if not self.scaler.is_enabled():
            stop_unless_finite("gradient", norm, step, self.recipe, self._scale())
        if self.recipe.clip is not None:
            trained = [p for p in self.model.parameters() if p.grad is not None]
            torch.nn.utils.clip_grad_norm_(trained, self.recipe.clip)
        before = self.scaler.get_scale()
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return self.scaler.get_scale() >= before

    def _after_update(self, labels: Labels, found: Gradient, step: int) -> None:
        if self.recipe.scale_end is None:
            clamp_scale(
                self.model.logit_scale, self.initial_scale, self.recipe.scale_max
            )
        if self.average:
            share = 1 - ema_decay(step, self.recipe.ema)
            for name, value in self._trained().items():
                self.average[name].lerp_(value, share)
        if self.memory is not None:
            self._enqueue(labels, found)

    def _enqueue(self, labels: Labels, found: Gradient) -> None:
        """All of the batch, in its order, on every process alike."""
        assert self.memory is not None
        images = self.ranks.gather(found.images, len(labels.images))
        # texts.prompts increases, so each image's own text is found by bisection.
        own = torch.searchsorted(labels.texts.prompts, labels.images.prompts)
        samples = torch.as_tensor(labels.samples, device=self.device)
        epochs = torch.as_tensor(labels.epochs, device=self.device)
        self.memory.enqueue(images, found.texts[own], labels.images, samples, epochs)

    @torch.no_grad()
    def _drift(self, step: int) -> float | None:
        """Cosine of the oldest queued vectors with those of the same views today."""
        every, memory = self.recipe.drift_every, self.memory
        if memory is None or not every or step % every or not int(memory.filled):
            return None
        oldest = memory.order()[:_DRIFT_IMAGES]
        samples = memory.samples[oldest].cpu().numpy()
        views = self.pictures.seen(samples, memory.epochs[oldest].cpu().numpy())
        with _autocast(self.recipe, self.device)():
            return memory.drift(self.model.encode_image(views))

    def _after_step(self, watch: Watch) -> None:
        if self._ends_epoch(self.done):
            self._judge()
        if self.ranks.any(watch.asked, self.device):
            self._leave()
        if self.done % self.recipe.checkpoint_every == 0:
            self.write()

    def _leave(self) -> None:
        self.write()
        raise Interrupted(self.done)

    def _ends_epoch(self, step: int) -> bool:
        n, batch = self.batches.sampler.n, self.recipe.batch
        return step * batch // n > (step - 1) * batch // n or step == self.steps

    def _judge(self) -> None:
        """Keep the weights if they are the best so far on the held-out images."""
        if self.judge is None:
            return
        with self._averaged():
            # One number for all processes, which must agree when to stop.
            score = self.ranks.mean(self.judge.accuracy(self.model), self.device)
            train_mode(self.model, self.recipe)
            if score > self.best.get("score", -1.0):
                weights = {k: v.detach().clone() for k, v in self._trained().items()}
                self.best = {"score": score, "step": self.done, "weights": weights}
                self.best["stale"] = -1
        self.best["stale"] += 1

    def _exhausted(self) -> bool:
        patience = self.recipe.patience
        return patience > 0 and self.best.get("stale", 0) >= patience

    @contextlib.contextmanager
    def _averaged(self) -> Iterator[None]:
        """The averaged weights in place of the last ones, if they are kept."""
        last = {name: value.detach().clone() for name, value in self._trained().items()}
        self._load_trained(self.average or last)
        try:
            yield
        finally:
            self._load_trained(last)

    def _interpolate(self, model: Any) -> float:
        """Load (1 - share) of the old and the share of the new weights; the share."""
        share = self.recipe.wise
        if share == 1:
            return 1.0
        after = {name: value.clone() for name, value in model.state_dict().items()}
        if share == "auto":
            assert self.judge is not None
            share = best_share(model, self.judge, self.before, after)
        model.load_state_dict(interpolated(self.before, after, share))
        return share

    def _trained(self) -> dict[str, Tensor]:
        """Everything that training changes, by name."""
        return {
            name: parameter.detach()
            for name, parameter in self.model.named_parameters()
            if parameter.requires_grad
        }

    @torch.no_grad()
    def _load_trained(self, weights: dict[str, Tensor]) -> None:
        for name, value in self._trained().items():
            value.copy_(weights[name])

    def _scale(self) -> float:
        return float(self.model.logit_scale.detach().exp())

    def _bias(self) -> float | None:
        bias = self.model.logit_bias
        return None if bias is None else float(bias.detach())


def _read(path: Path) -> Image.Image:
    from bakeoff.images import read_image

    return read_image(path)


def _nothing() -> None:
    return None


def _autocast(recipe: Recipe, device: str) -> Callable[[], Any]:
    if recipe.precision == "fp32":
        return contextlib.nullcontext
    kind, dtype = torch.device(device).type, _PRECISIONS[recipe.precision]
    return lambda: torch.autocast(kind, dtype)


def _own_device(device: str, ranks: Ranks) -> str:
    if device == "cuda" and ranks.size > 1:
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        torch.cuda.set_device(device)
    return device


def _fingerprint(data: Dataset, folder: Path, recipe: Recipe, seed: int) -> str:
    """A hash of everything that the weights depend on."""
    card = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
    parts = {
        "recipe": dataclasses.asdict(recipe),
        "seed": seed,
        "images": data.ids,
        "labels": data.labels.tolist(),
        "groups": data.groups.tolist(),
        "classes": data.classes,
        "prompts": data.bank.texts,
        "encoder": card["files"],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
