"""Extraction side by side: ours, the plain loops that others use, and forward only.

    python benchmarks/extraction.py --images 192 --rounds 5 --threads 2

All contenders encode the same JPEG files with the same random weights in one process,
in rounds in which each has its turn, so that a slow minute of the machine meets all of
them. Rates are images per second from files to vectors; a ratio is taken within each
round, and its median is given with its least and greatest value.

- ours: `bakeoff.encode.encode_files`
- forward only: our encoder on batches that are preprocessed already, the ceiling
- open_clip loop: fp32, one image after the other is opened, transformed and stacked
- CLIP_benchmark loop: the same with a DataLoader of 4 worker processes, batches of 64,
  fp32 weights, automatic mixed precision where there is a GPU
- transformers loop: an equally large CLIPModel with its image processor, fp32
- transformers pipeline: `image-feature-extraction` over the same tower, batches of 32
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from bakeoff.encode import BATCH, encode_files
from bakeoff.encoders import Encoder, load_encoder
from bakeoff.encoders.hardware import choose_device, probe_precision
from bakeoff.images import read_image, sha256_of
from PIL import Image
from safetensors.torch import save_file

Contender = Callable[[], torch.Tensor]


def main() -> None:
    """Print one table, and write it as JSON where asked."""
    options = _options()
    torch.set_num_threads(options.threads)
    device = choose_device(options.device)
    with tempfile.TemporaryDirectory() as folder:
        files = write_photos(Path(folder) / "photos", options.images)
        weights = write_weights(Path(folder) / "weights", options.model)
        contenders = make_contenders(files, weights, device, options)
        rates, vectors = race(contenders, len(files), options.rounds)
    report = summarise(rates) | {"cosine": cosine(vectors), "options": vars(options)}
    print(json.dumps(report, indent=1, default=str))
    if options.output:
        options.output.write_text(json.dumps(report, indent=1, default=str))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="ViT-B-32")
    parser.add_argument("--images", type=int, default=192)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--only", nargs="*", help="names of contenders")
    parser.add_argument("--output", type=Path)
    return parser.parse_args()


def write_photos(folder: Path, n: int) -> list[Path]:
    """N JPEGs of 500 x 375 pixels with the smooth and rough parts of photographs."""
    folder.mkdir()
    rng, files = np.random.default_rng(0), []
    for i in range(n):
        coarse = rng.integers(0, 256, (12, 16, 3), np.uint8)
        image = Image.fromarray(coarse).resize((500, 375), Image.Resampling.BICUBIC)
        pixels = np.asarray(image, np.int16) + rng.normal(0, 6, (375, 500, 1))
        file = folder / f"{i}.jpg"
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, quality=90)
        files.append(file)
    return files


def write_weights(folder: Path, name: str) -> Path:
    """A weights folder of an open_clip architecture with random weights."""
    folder.mkdir()
    config = {"model_cfg": open_clip.get_model_config(name), "preprocess_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    torch.manual_seed(0)
    model = open_clip.create_model(name, pretrained_text=False)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    note = {
        "id": name,
        "loader": "openclip",
        "files": {path.name: sha256_of(path) for path in folder.iterdir()},
        "dimension": config["model_cfg"]["embed_dim"],
        "resolution": max(model.visual.image_size),
        "parameters": sum(p.numel() for p in model.parameters()),
    }
    (folder / "encoder.json").write_text(json.dumps(note))
    return folder


def make_contenders(
    files: Sequence[Path], weights: Path, device: str, options: argparse.Namespace
) -> dict[str, Contender]:
    """Each as a function of nothing that returns (n, d) vectors."""
    note = json.loads((weights / "encoder.json").read_text())
    precision = probe_precision(device, note["parameters"])
    encoder = load_encoder(weights, device=device, precision=precision)
    model, transform = open_clip.create_model_from_pretrained(
        f"local-dir:{weights}", device=device
    )
    model.eval()
    loops: dict[str, Callable[[], Contender]] = {
        f"ours {precision}": lambda: _ours(encoder, files, options.threads),
        f"forward only {precision}": lambda: _forward_only(encoder, files),
        "open_clip loop": lambda: _open_clip_loop(model, transform, files, device),
        "CLIP_benchmark loop": lambda: _clip_benchmark(model, transform, files, device),
        "transformers loop": lambda: _transformers_loop(files, device),
        "transformers pipeline": lambda: _transformers_pipeline(files, device),
    }
    wanted = options.only or list(loops)
    return {
        name: make()
        for name, make in loops.items()
        if any(name.startswith(word) for word in wanted)
    }


def _ours(encoder: Encoder, files: Sequence[Path], threads: int) -> Contender:
    return lambda: torch.from_numpy(encode_files(encoder, files, threads=threads))


def _forward_only(encoder: Encoder, files: Sequence[Path]) -> Contender:
    size = BATCH[encoder.device.split(":")[0]]
    inputs = [encoder.preprocess(read_image(file)) for file in files]
    batches = [encoder.collate(part) for part in _parts(inputs, size)]
    return lambda: torch.cat([encoder.encode_images(b) for b in batches]).cpu()


def _open_clip_loop(
    model: Any, transform: Any, files: Sequence[Path], device: str
) -> Contender:
    def loop() -> torch.Tensor:
        with torch.no_grad():
            return torch.cat(
                [
                    model.encode_image(
                        torch.stack([transform(Image.open(f)) for f in part]).to(device)
                    ).cpu()
                    for part in _parts(files, 32)
                ]
            )

    return loop


class _Files(torch.utils.data.Dataset):
    def __init__(self, files: Sequence[Path], transform: Any) -> None:
        self.files, self.transform = files, transform

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, i: int) -> torch.Tensor:
        return self.transform(Image.open(self.files[i]))


def _clip_benchmark(
    model: Any, transform: Any, files: Sequence[Path], device: str
) -> Contender:
    loader = torch.utils.data.DataLoader(
        _Files(files, transform), batch_size=64, num_workers=4
    )

    def loop() -> torch.Tensor:
        mixed = torch.autocast(device) if device == "cuda" else nullcontext()
        with torch.no_grad(), mixed:
            found = [model.encode_image(batch.to(device)).cpu() for batch in loader]
        return torch.cat(found).float()

    return loop


def _transformers_loop(files: Sequence[Path], device: str) -> Contender:
    from transformers import CLIPImageProcessor, CLIPModel
    from transformers.models.clip.configuration_clip import CLIPConfig

    model = CLIPModel(CLIPConfig()).eval().to(device)  # ViT-B/32
    processor = CLIPImageProcessor()

    def loop() -> torch.Tensor:
        found = []
        with torch.no_grad():
            for part in _parts(files, 32):
                images = [Image.open(file) for file in part]
                inputs = processor(images=images, return_tensors="pt").to(device)
                found.append(model.get_image_features(**inputs).pooler_output.cpu())
        return torch.cat(found)

    return loop


def _transformers_pipeline(files: Sequence[Path], device: str) -> Contender:
    from transformers import CLIPImageProcessor, pipeline
    from transformers.models.clip import modeling_clip
    from transformers.models.clip.configuration_clip import CLIPVisionConfig

    tower = modeling_clip.CLIPVisionModelWithProjection(CLIPVisionConfig())  # ViT-B/32
    extractor = pipeline(
        "image-feature-extraction",
        model=tower.eval(),
        image_processor=CLIPImageProcessor(),
        device=device,
    )
    names = [str(file) for file in files]

    def loop() -> torch.Tensor:
        found = extractor(names, batch_size=32, return_tensors=True)
        return torch.cat(found).cpu()

    return loop


def race(
    contenders: dict[str, Contender], n: int, rounds: int
) -> tuple[dict[str, list[float]], dict[str, torch.Tensor]]:
    """Images per second of every round, after one that warms up; the last vectors."""
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    vectors = {name: run() for name, run in contenders.items()}
    for _ in range(rounds):
        for name, run in contenders.items():
            start = time.perf_counter()
            vectors[name] = run()
            rates[name].append(n / (time.perf_counter() - start))
    return rates, vectors


def summarise(rates: dict[str, list[float]]) -> dict[str, Any]:
    """Rates, and our ratio to each other contender, with the spread over rounds."""
    ours = next(rate for name, rate in rates.items() if name.startswith("ours"))
    return {
        "images_per_s": {name: _spread(rate) for name, rate in rates.items()},
        "ours_over": {
            name: _spread([a / b for a, b in zip(ours, rate, strict=True)])
            for name, rate in rates.items()
            if not name.startswith("ours")
        },
    }


def cosine(vectors: dict[str, torch.Tensor]) -> float | None:
    """Least cosine of our vectors and the fp32 open_clip loop's."""
    ours = next(v for name, v in vectors.items() if name.startswith("ours"))
    plain = vectors.get("open_clip loop")
    if plain is None:
        return None
    return float(torch.cosine_similarity(ours, plain.float()).min())


def _spread(values: Iterable[float]) -> dict[str, float]:
    ordered = sorted(values)
    median = statistics.median(ordered)
    return {
        name: round(value, 3)
        for name, value in (("median", median), ("least", ordered[0]))
    } | {"greatest": round(ordered[-1], 3)}


def _parts(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [items[i : i + size] for i in range(0, len(items), size)]


if __name__ == "__main__":
    main()
