"""Zero-shot predictions of a finished study against a loop as open_clip's users write it."""

from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
import yaml
from bakeoff.tables import origin, read_table, strings
from PIL import Image
from support.workflow import Workflow

pytestmark = pytest.mark.workflow


def plain_loop(place: Path, images: list[str], classes: list[str]) -> np.ndarray:
    """(images, classes) logits of tiny-clip, one image after the other."""
    folder = f"local-dir:{place}/resources/encoders/tiny-clip"
    model, preprocess = open_clip.create_model_from_pretrained(folder)
    tokenizer = open_clip.get_tokenizer(folder)
    bank = yaml.safe_load((place / "prompts.yaml").read_text(encoding="utf-8"))
    heads = []
    with torch.no_grad():
        for name in classes:
            texts = [template.format(name) for template in bank["templates"]]
            vectors = model.eval().encode_text(tokenizer(texts), normalize=True)
            heads.append(torch.nn.functional.normalize(vectors.mean(0), dim=0))
        rows = [
            model.encode_image(
                preprocess(Image.open(place / "images" / path)).unsqueeze(0),
                normalize=True,
            )[0]
            for path in images
        ]
        return (
            model.logit_scale.exp() * torch.stack(rows) @ torch.stack(heads).T
        ).numpy()


def test_zero_shot_equals_a_plain_open_clip_loop(finished: Workflow) -> None:
    results = finished.place / "results/colours"
    manifest = read_table(results / "manifest.parquet", "manifest")
    paths = dict(
        zip(strings(manifest, "image_id"), strings(manifest, "path"), strict=True)
    )
    table = read_table(
        results / "predictions/test/zeroshot/tiny-clip.parquet", "predictions"
    )
    classes = origin(table)["classes"]
    ids = strings(table, "image_id")
    expected = plain_loop(finished.place, [paths[name] for name in ids], classes)
    scores = np.array(table["scores"].to_pylist())
    assert len(ids) == 15
    # Rounding of half-precision images where this machine embeds in bf16.
    embeddings = read_table(results / "embeddings/tiny-clip.parquet", "embeddings")
    exact = origin(embeddings)["key"]["precision"] == "fp32"
    np.testing.assert_allclose(scores, expected, atol=1e-4 if exact else 0.5)
    best = [classes[k] for k in expected.argmax(axis=1)]
    assert not exact or strings(table, "y_pred").tolist() == best
