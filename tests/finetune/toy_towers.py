"""A toy two-tower model in double precision, and data for it."""

import torch
from bakeoff.finetune.infonce import InfoNCE
from bakeoff.finetune.losses import Loss
from bakeoff.finetune.rows import Rows, image_rows, text_rows
from bakeoff.finetune.sigmoid import Sigmoid
from bakeoff.finetune.stepping import Queued, Step
from torch import Tensor, nn
from torch.nn.functional import normalize


class Toy(nn.Module):
    """Two small networks with dropout, a scale and a bias."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.visual = nn.Sequential(
            nn.Flatten(), nn.Linear(48, 24), nn.Dropout(dropout), nn.Tanh()
        )
        self.image_head = nn.Linear(24, 8)
        self.text = nn.Sequential(nn.Embedding(40, 12), nn.Flatten(), nn.Tanh())
        self.text_head = nn.Linear(36, 8)
        self.logit_scale = nn.Parameter(torch.tensor(2.3))
        self.logit_bias = nn.Parameter(torch.tensor(-2.0))
        self.double()

    def encode_image(self, pixels: Tensor) -> Tensor:
        return self.image_head(self.visual(pixels))

    def encode_text(self, tokens: Tensor) -> Tensor:
        return self.text_head(self.text(tokens))


class ToyData:
    """Pictures and a bank of 12 prompts of 4 classes."""

    def __init__(self, n: int) -> None:
        generator = torch.Generator().manual_seed(5)
        self.pictures = torch.randn(
            n, 3, 4, 4, dtype=torch.float64, generator=generator
        )
        self.prompt_classes = torch.arange(12) % 4
        self.tokens = torch.randint(40, (12, 3), generator=generator)
        self.prompts = torch.randint(12, (n,), generator=generator)
        self.images = image_rows(self.prompt_classes[self.prompts], self.prompts)
        self.texts = text_rows(self.prompts, self.prompt_classes)

    def step(self, loss: Loss, queued: int = 0) -> Step:
        """The step of all images; some of them again, as if from the memory."""
        pixels, tokens = self.pictures.__getitem__, self.tokens[self.texts.prompts]
        if not queued:
            bound = loss.bind(self.images, self.texts)
            return Step(bound, self.images, pixels, tokens)
        generator = torch.Generator().manual_seed(6)
        vectors = torch.randn(queued, 8, generator=generator).double()
        zeros = torch.zeros(queued, dtype=torch.float64)
        rows = Rows(
            self.images.classes[:queued], self.prompts[:queued], zeros, zeros + 0.5
        )
        memory = Queued(normalize(vectors, dim=1), rows)
        bound = loss.bind(self.images.joined(rows), self.texts)
        return Step(bound, self.images, pixels, tokens, memory)


# Loss and number of images; two images leave one of three processes without any.
CASES = [(InfoNCE("class"), 37), (Sigmoid("class"), 37), (InfoNCE("pair"), 2)]
