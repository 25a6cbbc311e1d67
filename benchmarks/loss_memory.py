"""Peak memory of the losses over the vectors themselves, ours and open_clip's.

    python benchmarks/loss_memory.py [--batch 32768] [--texts 300] [--dimension 1152]

Each loss runs in a process of its own (peak resident memory only ever grows): vectors
are made, the peak is read, forward and backward run, the peak is read again. open_clip
is measured at a smaller batch and scaled by its square, unless --whole is given: at
32,768 its matrices take more than 17 GB. Prints one line per loss.
"""

import argparse
import multiprocessing
import resource
import sys
import time

import torch

sys.path.insert(0, "workflow/scripts")

from bakeoff.finetune.infonce import InfoNCE
from bakeoff.finetune.losses import full_batch
from bakeoff.finetune.rows import image_rows, text_rows
from bakeoff.finetune.sigmoid import Sigmoid


def unit(n: int, dimension: int) -> torch.Tensor:
    """(n, dimension) random unit vectors, made in place."""
    vectors = torch.randn(n, dimension)
    return vectors.div_(vectors.norm(dim=1, keepdim=True)).requires_grad_()


def peak_mb() -> float:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def ours(kind: str, batch: int, n_texts: int, dimension: int) -> tuple[float, float]:
    """Megabytes over the vectors, and seconds, of one forward and backward."""
    loss = {"infonce": InfoNCE, "sigmoid": Sigmoid}[kind]()
    prompts = torch.arange(batch) % n_texts
    classes = torch.arange(n_texts) % max(2, n_texts // 20)
    images, texts = image_rows(classes[prompts], prompts), text_rows(prompts, classes)
    x, t = unit(batch, dimension), unit(len(texts), dimension)
    scale, bias = (
        torch.tensor(10.0).requires_grad_(),
        torch.tensor(-3.0).requires_grad_(),
    )

    def run(n: int) -> None:
        few, own = images[:n], text_rows(prompts[:n], classes)
        some = x[:n].detach().requires_grad_()
        full_batch(loss.bind(few, own), some, few, t, scale, bias).backward()

    run(max(n_texts, batch // 64))  # code and thread pools are loaded
    before, started = peak_mb(), time.perf_counter()
    bound = loss.bind(images, texts)
    full_batch(bound, x, images, t, scale, bias).backward()
    return peak_mb() - before, time.perf_counter() - started


def theirs(kind: str, batch: int, dimension: int) -> tuple[float, float]:
    """The same of open_clip's loss over batch texts."""
    from open_clip.loss import ClipLoss, SigLipLoss

    loss = {"infonce": ClipLoss, "sigmoid": SigLipLoss}[kind]()
    x, t = unit(batch, dimension), unit(batch, dimension)
    scale, bias = (
        torch.tensor(10.0).requires_grad_(),
        torch.tensor(-3.0).requires_grad_(),
    )
    loss(x[:64], t[:64], scale, bias).backward()
    before, started = peak_mb(), time.perf_counter()
    loss(x, t, scale, bias).backward()
    return peak_mb() - before, time.perf_counter() - started


def alone(function, *arguments):  # type: ignore[no-untyped-def]
    """The function's result, from a process that has done nothing else."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def main() -> None:
    """Print megabytes and seconds of both losses, and of open_clip's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=32_768)
    parser.add_argument("--texts", type=int, default=300)
    parser.add_argument("--dimension", type=int, default=1152)
    parser.add_argument("--reference", type=int, default=4096, help="open_clip's batch")
    parser.add_argument("--whole", action="store_true", help="open_clip at --batch too")
    options = parser.parse_args()
    b, u, d = options.batch, options.texts, options.dimension
    reference = b if options.whole else min(b, options.reference)
    factor = (b / reference) ** 2
    for kind in ("infonce", "sigmoid"):
        mb, seconds = alone(ours, kind, b, u, d)
        print(f"{kind:8} ours       B={b} U={u} D={d}: {mb:8.0f} MB {seconds:6.2f} s")
        mb, seconds = alone(ours, kind, reference, reference, d)
        print(
            f"{kind:8} captions   B=U={reference} D={d}: {mb:8.0f} MB {seconds:6.2f} s"
        )
        mb, seconds = alone(theirs, kind, reference, d)
        note = "" if factor == 1 else f" (measured at B={reference}, x {factor:.0f})"
        print(
            f"{kind:8} open_clip  B={b} D={d}: "
            f"{mb * factor:8.0f} MB {seconds * factor:6.2f} s{note}"
        )


if __name__ == "__main__":
    main()
