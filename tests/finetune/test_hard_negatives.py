"""InfoNCE by its definition where texts outweigh images, as with hard negatives."""

import pytest
import torch
from bakeoff.finetune.infonce import InfoNCE
from bakeoff.finetune.losses import full_batch
from bakeoff.finetune.rows import image_rows, text_rows
from torch.nn.functional import normalize

BANK = torch.tensor([0, 0, 1, 1])  # classes of four prompts


def test_infonce_with_hard_negatives_equals_its_definition() -> None:
    torch.manual_seed(0)
    prompts = torch.tensor([0, 0, 1, 2, 3, 3])
    others, weights = torch.tensor([0, 1]), torch.tensor([2.0, 1.0])
    images = image_rows(BANK[prompts], prompts)
    texts = text_rows(prompts, BANK, others, weights)
    x = normalize(torch.randn(6, 5).double(), dim=1)
    t = normalize(torch.randn(4, 5).double(), dim=1)
    scale = torch.tensor(3.0).double()
    found = full_batch(InfoNCE("class").bind(images, texts), x, images, t, scale)

    z, same = scale * x @ t.T, (images.classes[:, None] == texts.classes).double()
    own = same * texts.weight  # a target for each image: its class's texts, by weight
    to_texts = (texts.weight.log() + z).logsumexp(1) - (own * z).sum(1) / own.sum(1)
    # And one for each text: the images of its class, all alike.
    to_images = z.logsumexp(0) - (same * z).sum(0) / same.sum(0)
    expected = (to_texts.sum() + texts.anchor @ to_images) / (2 * 6)
    assert float(found) == pytest.approx(float(expected))
