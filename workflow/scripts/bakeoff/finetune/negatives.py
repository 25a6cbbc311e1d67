"""Hard prompt negatives: what each class is most easily taken for, in words."""

import torch
from torch import Tensor
from torch.nn.functional import normalize


def hard_prompts(texts: Tensor, classes: Tensor, n: int) -> Tensor:
    """The n prompts of other classes nearest to each class, (K, n) indices.

    `texts` (P, D) are the prompts' vectors before training and `classes` (P,) their
    classes; nearness is the cosine with the mean of the class's unit vectors. Where
    other classes have fewer than n prompts, all of theirs are given.
    """
    unit = normalize(texts, dim=1)
    n_classes = int(classes.max()) + 1
    means = unit.new_zeros(n_classes, unit.shape[1]).index_add(0, classes, unit)
    own = torch.arange(n_classes, device=classes.device)[:, None] == classes  # (K, P)
    near = (normalize(means, dim=1) @ unit.T).masked_fill(own, -torch.inf)
    n = min(n, int((~own).sum(1).min()))
    return near.topk(n, dim=1).indices
