"""One optimiser step's gradient against open_clip's accumulation, at equal batch.

    python benchmarks/finetune_step.py --model ViT-B-32 --batch 1024 --micro-batch 64

Both sides run the same model of random weights on the same random pixels and prompts:

    open_clip   its accumulation: all micro-batches encoded without a gradient, then
                each again with one, every image with a text of its own, and the loss
                over the whole batch for each of them (3.3, train.py, --accum-freq)
    captions    ours with as many texts, all different: the steps alone
    prompts     ours with U unique prompts: what class prompts save besides

Rounds are interleaved, so that a slow spell of the machine meets all sides alike.
Prints samples per second (median), the ratio to open_clip (median, least and greatest
over the rounds), forwards of the image tower per image, and the peak memory of each
side from a process of its own. A smoke test: `--rounds 1 --batch 8 --micro-batch 4`.
"""

import argparse
import contextlib
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import open_clip
import torch
from open_clip.loss import ClipLoss, SigLipLoss
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, "workflow/scripts")

from bakeoff.finetune.infonce import InfoNCE
from bakeoff.finetune.log import peak_memory_mb
from bakeoff.finetune.rows import image_rows, text_rows
from bakeoff.finetune.sigmoid import Sigmoid
from bakeoff.finetune.stepping import Step, Stepping, accumulate

TINY = {
    "embed_dim": 64,
    "vision_cfg": {"image_size": 64, "patch_size": 8, "width": 128, "layers": 4},
    "text_cfg": {"context_length": 16, "vocab_size": 512, "width": 64, "layers": 2},
}
SIDES = ("open_clip", "captions", "prompts")


class Bench:
    """A model, B pictures, and prompts for them; `run(side)` makes one gradient."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        torch.manual_seed(0)
        torch.set_num_threads(options.threads)
        self.model = self._model()
        self.model.train()
        size = self.model.visual.image_size
        side = size if isinstance(size, int) else size[0]
        n, device = options.batch, options.device
        self.pixels = torch.randn(n, 3, side, side, device=device)
        length, words = self.model.context_length, self.model.vocab_size
        self.tokens = torch.randint(1, words, (n, length), device=device)
        self.forwards = 0
        self.model.visual.register_forward_hook(self._count)

    def run(self, side: str) -> None:
        """Gradients of all parameters by one of the sides."""
        self.model.zero_grad(set_to_none=True)
        if side == "open_clip":
            self._theirs()
        else:
            self._ours(self.options.texts if side == "prompts" else self.options.batch)

    def _model(self) -> Any:
        sigmoid = self.options.loss == "sigmoid"
        bias = {"init_logit_bias": -10.0} if sigmoid else {}
        if self.options.model == "tiny":
            return open_clip.CLIP(**TINY, **bias).to(self.options.device)
        return open_clip.create_model(
            self.options.model, device=self.options.device, **bias
        )

    def _count(self, module: Any, inputs: Any, output: Any) -> None:
        self.forwards += len(inputs[0])

    def _autocast(self) -> contextlib.AbstractContextManager:
        if self.options.precision == "fp32":
            return contextlib.nullcontext()
        return torch.autocast(torch.device(self.options.device).type, torch.bfloat16)

    def _ours(self, n_texts: int) -> None:
        n = self.options.batch
        prompts = torch.arange(n, device=self.options.device) % min(n_texts, n)
        images = image_rows(prompts, prompts)
        texts = text_rows(prompts, torch.arange(n, device=self.options.device))
        loss = Sigmoid("pair") if self.options.loss == "sigmoid" else InfoNCE("pair")
        step = Step(
            loss.bind(images, texts),
            images,
            self.pixels.__getitem__,
            self.tokens[texts.prompts],
        )
        micro = self.options.micro_batch
        how = Stepping(micro, text_chunk=max(micro, 256), autocast=self._autocast)
        accumulate(self.model, step, how, seed=0)

    def _theirs(self) -> None:
        loss = SigLipLoss() if self.options.loss == "sigmoid" else ClipLoss()
        parts = list(
            zip(
                self.pixels.split(self.options.micro_batch),
                self.tokens.split(self.options.micro_batch),
                strict=True,
            )
        )
        with torch.no_grad():
            cached = [self._features(*part) for part in parts]
        for place, part in enumerate(parts):
            here = [*cached[:place], self._features(*part), *cached[place + 1 :]]
            x, t = (torch.cat(side) for side in zip(*here, strict=True))
            with self._autocast():
                value = self._value(loss, x, t)
            value.backward()

    def _features(self, pixels: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        with self._autocast():
            x = self.model.encode_image(pixels, normalize=True)
            return x, self.model.encode_text(tokens, normalize=True)

    def _value(self, loss: Callable[..., Tensor], x: Tensor, t: Tensor) -> Tensor:
        scale, bias = self.model.logit_scale.exp(), self.model.logit_bias
        return loss(x, t, scale) if bias is None else loss(x, t, scale, bias)


def seconds(bench: Bench, side: str) -> float:
    """Wall-clock time of one gradient."""
    started = time.perf_counter()
    bench.run(side)
    if bench.options.device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - started


def training_gflops(bench: Bench) -> float:
    """Needed by one image: forward once, backward twice as much; texts not counted."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        bench.model.encode_image(bench.pixels[:1])
    return 3 * counter.get_total_flops() / 1e9


def memory_mb(options: argparse.Namespace, side: str) -> float:
    """Peak memory of a process that makes one gradient."""
    Bench(options).run(side)
    return peak_memory_mb()


def main() -> None:
    """Print speed, ratio, forwards and memory of every side for both losses."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="tiny", help="of open_clip, or tiny")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--micro-batch", type=int, default=64)
    parser.add_argument("--texts", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--peak-tflops", type=float, help="of the device: prints the share used (MFU)"
    )
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    losses = ("infonce", "sigmoid")
    parser.add_argument("--losses", nargs="*", choices=losses, default=losses)
    options = parser.parse_args()
    for loss in options.losses:
        options.loss = loss
        report(options)


def report(options: argparse.Namespace) -> None:
    """Print the lines of one loss."""
    bench = Bench(options)
    times: dict[str, list[float]] = {side: [] for side in SIDES}
    forwards = {}
    for side in SIDES:  # once unmeasured: code and caches are loaded
        bench.forwards = 0
        bench.run(side)
        forwards[side] = bench.forwards / options.batch
    for _ in range(options.rounds):
        for side in SIDES:
            times[side].append(seconds(bench, side))
    for side in SIDES:
        pairs = zip(times["open_clip"], times[side], strict=True)
        ratios = sorted(theirs / ours for theirs, ours in pairs)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            megabytes = pool.apply(memory_mb, (options, side))
        speed = options.batch / statistics.median(times[side])
        share = ""
        if options.peak_tflops:
            used = speed * training_gflops(bench) / 1e3 / options.peak_tflops
            share = f"{used:7.1%} of peak"
        print(
            f"{options.loss:8} {side:10}{speed:9.1f} samples/s{share}"
            f"{statistics.median(ratios):7.2f}x ({ratios[0]:.2f}-{ratios[-1]:.2f})"
            f"{forwards[side]:6.2f} forwards {megabytes:7.0f} MB"
        )


if __name__ == "__main__":
    main()
