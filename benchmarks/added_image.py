"""What one added image costs, as a share of a fresh run.

    python benchmarks/added_image.py --images 2000

A study of two encoders with random weights, as large as ViT-B/32 and as slow, runs from
nothing over synthetic otoliths; then one image is added, and it runs again. Both runs are
timed one after the other on the same machine, and split by rule. CPU seconds hardly
change with what else the machine does.
"""

import argparse
import csv
import json
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import open_clip
import torch
import yaml
from safetensors.torch import save_file

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "workflow/scripts")]

from bakeoff.demo.otoliths import write_otoliths  # noqa: E402
from support.workflow import Workflow, copy_repository  # noqa: E402

STUDY = {
    "catalogue": "encoders.yaml",
    "encoders": ["first", "second"],
    "studies": {
        "otoliths": {
            "images": "images",
            "labels_file": "labels.csv",
            "labels": "ordinal",
            "prompts": "config/prompts/otoliths.yaml",
        }
    },
}


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument(
        "--model", default="ViT-B-32", help="an architecture of open_clip"
    )
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measured(Path(folder), **vars(options))))


def measured(place: Path, images: int, model: str, cores: int) -> dict:
    """Seconds of the fresh run and of the one after an image was added, and their ratio."""
    workflow = copy_repository(ROOT, place)
    workflow.cores = cores
    (place / "study.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False))
    entries = {name: {"folder": name} for name in STUDY["encoders"]}
    (place / "encoders.yaml").write_text(yaml.safe_dump(entries))
    for seed, name in enumerate(entries):
        save_encoder(place / name, model, seed)
    labels = place / "labels.csv"
    write_otoliths(place / "images", labels, seed=1, n=images + 1)
    rows = labels.read_text().splitlines(keepends=True)
    labels.write_text("".join(rows[:-1]))
    fresh = timed(workflow)
    labels.write_text("".join(rows))
    added = timed(workflow)
    return {
        "images": images,
        "model": model,
        "cores": cores,
        "share": round(added["seconds"] / fresh["seconds"], 3),
        "share_cpu": round(added["cpu"] / fresh["cpu"], 3),
        "fresh": fresh,
        "added": added,
    }


def save_encoder(folder: Path, model: str, seed: int) -> None:
    """An encoder of random weights in a plain folder."""
    folder.mkdir()
    config = {"model_cfg": open_clip.get_model_config(model), "preprocess_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    torch.manual_seed(seed)
    weights = open_clip.create_model(model).state_dict()
    save_file(weights, folder / "open_clip_model.safetensors")


def timed(workflow: Workflow) -> dict:
    """Wall and CPU seconds of a run, and the wall seconds of each rule's jobs."""
    start, before = time.time(), _cpu()
    workflow.run("--configfile", "study.yaml", seconds=7200)
    return {
        "seconds": round(time.time() - start, 1),
        "cpu": round(_cpu() - before, 1),
        "rules": rules_of(workflow.place / "benchmarks/results", since=start),
    }


def rules_of(folder: Path, since: float) -> dict[str, float]:
    """Wall seconds of each rule's jobs that ended after `since`, costliest first."""
    seconds: Counter[str] = Counter()
    for path in folder.rglob("*.tsv"):
        if path.stat().st_mtime >= since:
            parts = path.relative_to(folder).with_suffix("").parts
            with path.open(newline="") as file:
                (row,) = csv.DictReader(file, delimiter="\t")
            # A figure's rule is named by its folder.
            name = f"figure_{parts[2]}" if parts[0] == "figures" else parts[0]
            seconds[name] += float(row["s"])
    return {name: round(spent, 1) for name, spent in seconds.most_common()}


def _cpu() -> float:
    """CPU seconds of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
