"""One process of several: loss, gradients and gathered vectors of every toy case."""

import sys
from pathlib import Path

import torch
from bakeoff.finetune.ranks import joined
from bakeoff.finetune.stepping import Stepping, accumulate
from toy_towers import CASES, Toy, ToyData

if __name__ == "__main__":
    results = []
    with joined("cpu") as ranks:
        for loss, n in CASES:
            data, model = ToyData(n), Toy()
            step = data.step(loss, queued=min(5, n))
            how = Stepping(4, ranks=ranks, keep_images=True)
            found = accumulate(model, step, how, seed=3)
            gradients = {name: p.grad for name, p in model.named_parameters()}
            images = ranks.gather(found.images, n)
            results.append((found.loss, gradients, images))
        if ranks.size == 2:
            from study import TRAINING, Study

            # Each process makes the same study for itself; the first one saves.
            study = Study(Path(sys.argv[1], f"study-{ranks.rank}"), per_class=4)
            study.train(Path(sys.argv[1]), **TRAINING)
        torch.save(results, f"{sys.argv[1]}/{ranks.rank}.pt")
