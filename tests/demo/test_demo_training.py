import dataclasses
import json

import numpy as np
import open_clip
import pytest
import torch
from bakeoff.demo.encoders import LOSSES, model_config, new_model, write_encoder
from bakeoff.demo.training import Plan, batches, retrieval, train
from open_clip.loss import ClipLoss


def folder_bytes(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("encoder", ["tiny-clip", "tiny-siglip", "tiny-random"])
def test_training_repeats_to_the_bit(tmp_path, few_drawings, short_plan, encoder):
    for place in ("a", "b"):
        write_encoder(tmp_path / place, encoder, short_plan, few_drawings)
    assert folder_bytes(tmp_path / "a") == folder_bytes(tmp_path / "b")


def test_log_has_a_row_per_interval_and_the_last_step(
    tmp_path, few_drawings, short_plan
):
    write_encoder(tmp_path, "tiny-siglip", short_plan, few_drawings)
    rows = [r.split(",") for r in (tmp_path / "training.csv").read_text().splitlines()]
    assert rows[0] == [
        "step",
        "loss",
        "lr",
        "temperature",
        "bias",
        "recall_at_1",
        "recall_at_5",
    ]
    assert [row[0] for row in rows[1:]] == ["2", "3"]
    assert float(rows[-1][2]) == 0  # half a cosine ends at zero


def test_only_the_loss_differs():
    """Same configuration but for the sigmoid's bias, same weights to start from."""
    clip, siglip, untrained = (
        model_config(encoder, Plan())
        for encoder in ("tiny-clip", "tiny-siglip", "tiny-random")
    )
    assert clip == untrained
    weights = new_model(clip["model_cfg"], 0).state_dict()
    others = new_model(siglip["model_cfg"], 0).state_dict()
    assert siglip["model_cfg"].pop("init_logit_bias") == pytest.approx(-np.log(127))
    assert clip == siglip
    assert set(others) - set(weights) == {"logit_bias"}
    assert all(torch.equal(weights[name], others[name]) for name in weights)


def test_both_losses_see_the_same_batches(few_drawings, short_plan):
    first, second = (list(batches(few_drawings, short_plan)) for _ in range(2))
    for (scenes, captions), (again, same) in zip(first, second, strict=True):
        assert torch.equal(scenes, again)
        assert captions == same


def test_a_batch_names_nothing_twice(few_drawings, short_plan):
    plan = dataclasses.replace(short_plan, batch=20, steps=4)
    concepts = {d.name: d.concept for d in few_drawings.drawings}
    for scenes, captions in batches(few_drawings, plan):
        assert scenes.shape == (20, 3, 64, 64)
        assert scenes.abs().max() <= 1
        named = [
            max((c for n, c in concepts.items() if c in caption), key=len, default=None)
            for caption in captions
        ]
        assert None not in named
        assert len(set(named)) == 20


def test_loss_is_open_clips(few_drawings, short_plan, tmp_path):
    """The first loss of the log, computed anew by hand from the same batch."""
    plan = dataclasses.replace(short_plan, steps=1, measure_every=1, warmup=0)
    write_encoder(tmp_path, "tiny-clip", plan, few_drawings)
    tokenizer = open_clip.get_tokenizer(f"local-dir:{tmp_path}")
    config = json.loads((tmp_path / "open_clip_config.json").read_text())
    model = new_model(config["model_cfg"], plan.seed)
    held_out = set(range(10, 60, 20))
    kept = few_drawings.part([i for i in range(60) if i not in held_out])
    ((scenes, captions),) = batches(kept, plan)
    with torch.no_grad():
        images = model.encode_image(scenes, normalize=True)
        texts = model.encode_text(tokenizer(captions), normalize=True)
        logits = 10 * images @ texts.T
    own = logits.diagonal()
    by_hand = (logits.logsumexp(0) + logits.logsumexp(1) - 2 * own).mean() / 2
    (row,) = train(model, ClipLoss(), tokenizer, few_drawings, plan)
    assert row["loss"] == pytest.approx(by_hand.item(), rel=1e-5)


def test_loss_falls_and_a_broken_one_stops(few_drawings, tmp_path):
    plan = Plan(steps=12, batch=16, warmup=2, measure_every=4, easy=1.0, seed=1)
    write_encoder(tmp_path, "tiny-clip", plan, few_drawings)
    lines = (tmp_path / "training.csv").read_text().splitlines()[1:]
    losses = [float(line.split(",")[1]) for line in lines]
    assert losses[-1] < losses[0]
    tokenizer = open_clip.get_tokenizer(f"local-dir:{tmp_path}")
    model = new_model(model_config("tiny-clip", plan)["model_cfg"], 0)
    model.logit_scale.data.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="nan"):
        next(train(model, LOSSES["tiny-clip"](), tokenizer, few_drawings, plan))


def test_retrieval_counts_what_is_nearest(few_drawings):
    """A model whose images are all the vector of one name: that name's share is hit."""
    part = few_drawings.part(range(0, 60, 6))
    concepts = sorted({drawing.concept for drawing in part.drawings})

    class OneAnswer(torch.nn.Module):
        def encode_image(self, scenes, normalize):
            return torch.eye(len(concepts))[[0] * len(scenes)]

        def encode_text(self, texts, normalize):
            return torch.eye(len(texts))

    share = np.mean([d.concept == concepts[0] for d in part.drawings])
    found = retrieval(OneAnswer(), lambda texts: texts, part, seed=0)
    assert found["recall_at_1"] == pytest.approx(share)
    assert found["recall_at_5"] >= found["recall_at_1"]
