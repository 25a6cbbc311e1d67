"""The loop: one training from its start, or from a checkpoint, to its encoder."""

import dataclasses
import hashlib
import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from bakeoff.encoders.folder import open_folder
from bakeoff.finetune import checkpoint
from bakeoff.finetune.batches import Batches, Labels, loss_of
from bakeoff.finetune.dataset import Dataset, held_out
from bakeoff.finetune.diagnosis import (
    check_classes,
    explain_batch,
    stop_unless_finite,
)
from bakeoff.finetune.evaluate import Judge, best_share, interpolated
from bakeoff.finetune.log import Log, tower_norms
from bakeoff.finetune.memory import Memory
from bakeoff.finetune.model import Encoder, adapted, autocast, load, prepare, train_mode
from bakeoff.finetune.negatives import hard_prompts
from bakeoff.finetune.pictures import Pictures
from bakeoff.finetune.ranks import Ranks
from bakeoff.finetune.recipe import Recipe
from bakeoff.finetune.sampler import Sampler
from bakeoff.finetune.save import save_encoder
from bakeoff.finetune.selection import Selection
from bakeoff.finetune.sigmoid import BoundSigmoid
from bakeoff.finetune.signals import AbandonStep, Interrupted, Watch
from bakeoff.finetune.stepping import Gradient, Step, Stepping, accumulate
from bakeoff.finetune.updates import Updates
from bakeoff.finetune.weights import Weights, full_copy
from bakeoff.images import listed_image

_DRIFT_IMAGES = 32

log = logging.getLogger(__name__)


class Training:
    """One training. What changes from step to step is what a checkpoint holds."""

    def __init__(
        self,
        data: Dataset,
        folder: Path,
        recipe: Recipe,
        file: Path,
        seed: int,
        device: str,
        threads: int,
        ranks: Ranks,
    ) -> None:
        self.recipe, self.folder, self.file = recipe, folder, file
        self.seed, self.device, self.threads = seed, device, threads
        self.ranks = ranks
        self.fingerprint = _fingerprint(data, folder, recipe, seed)
        encoder = load(folder, device)
        self.model: Any = encoder.model
        self.tokens = encoder.tokenize(data.bank.texts).to(device)
        self._divide(data, encoder)
        self._prepare_model()
        self.weights = Weights(self.model, recipe.ema)
        self.updates = Updates(self.model, recipe, self.steps, device)
        self.memory = self._empty_memory()
        self.done, self.log = 0, Log()

    def run(self, watch: Watch) -> None:
        """Train until the last step, or until the held-out images say stop."""
        how = self._stepping(watch)
        with self._progress() as bar:
            while self.done < self.steps and not self.selection.exhausted:
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
        how = dataclasses.replace(how, grad_factor=self.updates.begin(step))
        found = accumulate(self.model, self._data(labels), how, self.seed + step)
        loss, scale = float(found.loss), self.updates.scale()
        stop_unless_finite("loss", loss, step, self.recipe, scale)
        self.updates.unscale()
        norms, drift = tower_norms(self.model), self._drift(step)
        if self.updates.apply(norms["grad_norm"] or 0.0, step):
            self.weights.update_average(step)
            self._enqueue(labels, found)
        seconds = time.perf_counter() - started
        return {
            "step": step,
            "epoch": step * self.recipe.batch / self.batches.sampler.n,
            "loss": loss,
            "floor": labels.bound.floor,
            "lr": self.recipe.lr * self.updates.rate(step),
            "temperature": scale,
            "bias": self.updates.bias(),
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
        self.weights.restore(state["weights"])
        self.updates.restore(state["updates"])
        self.selection.restore(state["selection"])
        if self.memory is not None:
            self.memory.load_state_dict(state["memory"])
        self.done, self.log = state["done"], Log(state["log"])
        log.info("continues after step %d of %d", self.done, self.steps)

    def write(self) -> None:
        """Write a checkpoint of the last complete step."""
        if self.ranks.rank == 0:
            state = {
                "weights": self.weights.state(),
                "updates": self.updates.state(),
                "selection": self.selection.state(),
                "memory": {} if self.memory is None else self.memory.state_dict(),
                "done": self.done,
                "log": self.log.rows,
            }
            checkpoint.write(self.file, self.fingerprint, state)
        self.ranks.wait()

    def finish(self, out: Path) -> None:
        """Choose the final weights and write the encoder."""
        best = self.selection.best
        self.weights.load(best or self.weights.average or self.weights.copy())
        model = self.adapters.merge_and_unload() if self.adapters else self.model
        share = self._interpolate(model)
        if self.ranks.rank == 0:
            note = {
                "recipe": dataclasses.asdict(self.recipe),
                "seed": self.seed,
                "steps": self.done,
                "best_step": self.selection.step if best else self.done,
                "wise": share,
            }
            save_encoder(model, self.folder, out, note)
        self.ranks.wait()

    def close(self) -> None:
        """End the reading threads."""
        self.pictures.close()
        if self.selection.judge is not None:
            self.selection.judge.pictures.close()

    def _divide(self, data: Dataset, encoder: Encoder) -> None:
        """Images to train on, and the judge that holds the others."""
        recipe, judge = self.recipe, None
        check_classes(recipe, data.classes)
        if recipe.validation:
            rows, others = held_out(data, recipe.validation, self.seed)
            chosen, data = data.part(others), data.part(rows)
            pictures = self._pictures(chosen, encoder)
            judge = Judge(chosen, pictures, self.tokens, recipe.micro_batch)
        self.selection = Selection(judge, recipe.patience, self.ranks)
        self.pictures = self._pictures(data, encoder)
        sampler = Sampler(len(data), recipe.batch, self.seed)
        self.steps = sampler.steps(recipe.epochs)
        explain_batch(recipe, len(data), self.steps)
        hard = self._hard_prompts(data)
        self.batches = Batches(data, sampler, loss_of(recipe), hard, self.device)

    def _pictures(self, data: Dataset, encoder: Encoder) -> Pictures:
        special, default = self.recipe.class_augmentation, self.recipe.augmentation
        return Pictures(
            list(zip(data.files, data.ids, strict=True)),
            [special.get(data.classes[label], default) for label in data.labels],
            lambda file: listed_image(*file),
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
        self.before = full_copy(self.model) if self.recipe.wise != 1 else {}
        lora = self.recipe.lora_rank > 0
        self.adapters = adapted(self.model, self.recipe, self.seed) if lora else None
        train_mode(self.model, self.recipe)

    @torch.no_grad()
    def _empty_memory(self) -> Memory | None:
        recipe = self.recipe
        if not recipe.queue:
            return None
        half = recipe.queue_precision == "fp16"
        return Memory(
            recipe.queue,
            self.model.encode_text(self.tokens[:1]).shape[1],
            keep_texts=recipe.queue_texts == "stored",
            dtype=torch.float16 if half else torch.float32,
            start=recipe.queue_start,
            ramp=recipe.queue_ramp,
            weight=recipe.queue_weight,
        ).to(self.device)

    def _stepping(self, watch: Watch) -> Stepping:
        """One process may leave within a step; several leave together, after one."""
        how = Stepping(
            self.recipe.micro_batch,
            self.recipe.text_chunk,
            self.ranks,
            autocast(self.recipe.precision, self.device),
            keep_images=self.memory is not None,
        )
        if self.ranks.size > 1:
            return how
        return dataclasses.replace(how, between=watch.check)

    def _progress(self) -> tqdm:
        return tqdm(
            total=self.steps,
            initial=self.done,
            unit="step",
            mininterval=0.5 if sys.stderr.isatty() else 30,  # seconds; spares log files
            disable=self.ranks.rank > 0,
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

    def _enqueue(self, labels: Labels, found: Gradient) -> None:
        """All of the batch, in its order, on every process alike."""
        if self.memory is None:
            return
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
        with autocast(self.recipe.precision, self.device)():
            return memory.drift(self.model.encode_image(views))

    def _after_step(self, watch: Watch) -> None:
        if self._ends_epoch(self.done):
            self.selection.evaluate(self.weights, self.done, self.device)
            train_mode(self.model, self.recipe)
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

    def _interpolate(self, model: Any) -> float:
        """Load (1 - share) of the old and the share of the new weights; the share."""
        share = self.recipe.wise
        if share == 1:
            return 1.0
        after = full_copy(model)
        if share == "auto":
            assert self.selection.judge is not None
            share = best_share(model, self.selection.judge, self.before, after)
        model.load_state_dict(interpolated(self.before, after, share))
        return share


def _fingerprint(data: Dataset, folder: Path, recipe: Recipe, seed: int) -> str:
    """A hash of everything that the weights depend on."""
    parts = {
        "recipe": dataclasses.asdict(recipe),
        "seed": seed,
        "images": data.ids,
        "labels": data.labels.tolist(),
        "groups": data.groups.tolist(),
        "classes": data.classes,
        "prompts": data.bank.texts,
        "encoder": open_folder(folder).files,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
