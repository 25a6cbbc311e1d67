"""Zero-shot classification: the class whose prompts are most like the image.

A class's vector is the mean of its prompts' vectors, each of length 1, scaled to length
1 again (prompt ensembling of Radford et al. 2021). An image's logit of a class is
scale * cosine + bias with the scale and bias that the encoder was trained with.
"""

from typing import Any, Literal

import numpy as np
import pyarrow as pa
from scipy.special import softmax

from bakeoff.errors import BakeoffError, listed
from bakeoff.probes.inputs import Images, Labels, aligned, normalised, read_images
from bakeoff.probes.interface import Predicted
from bakeoff.probes.outputs import columns, provenance
from bakeoff.tables import strings, vectors

Average = Literal["before", "after"]


def zero_shot(
    embeddings: pa.Table,
    texts: pa.Table,
    manifest: pa.Table,
    folds: pa.Table,
    *,
    encoder: str,
    protocol: str,
    study: str,
    labels: Labels,
    logit_scale: float,
    logit_bias: float | None = None,
    average: Average = "before",
    anchors: int | None = None,
    seed: int = 0,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Columns and provenance of the table of predictions, one row per tested image.

    Nothing is trained, so every image that the protocol ever tests is scored once: as
    repeat 0, in the fold of the first repeat that tests it. `scores` are the logits of
    all classes; the prediction is the largest, of equal ones the first class. For
    ordinal labels `y_raw` is the mean number under the softmax of the logits, and
    `anchors` (2 or more) asks for rank prompts: see `rank_vectors`.
    """
    images = read_images(manifest, labels)
    x = normalised(aligned(embeddings, images, encoder), images, encoder)
    classes = images.problem.classes
    heads = class_vectors(texts, classes, average, encoder)
    if anchors is not None:
        heads = rank_vectors(heads, images.problem.values, anchors)
    logits = logit_scale * (x @ heads.T) + (logit_bias or 0.0)
    rows, fold = tested_images(folds, images)
    logits = logits[rows]
    expected = softmax(logits, axis=1) @ images.problem.values
    made = columns(
        images,
        rows,
        Predicted(
            logits.argmax(axis=1),
            expected if images.problem.ordinal else None,
            logits,
        ),
        {"encoder": encoder, "method": "zeroshot", "protocol": protocol},
        {
            "repeat": np.zeros(len(rows), dtype=np.int32),
            "fold": fold,
            "seed": np.full(len(rows), seed),
        },
    )
    return made, {
        **provenance(study, images, folds),
        "scores": "logit",
        "logit_scale": logit_scale,
        "logit_bias": logit_bias,
        "average": average,
        "anchors": anchors,
    }


def class_vectors(
    texts: pa.Table, classes: tuple[str, ...], average: Average, encoder: str
) -> np.ndarray:
    """(K, d) vector of each class.

    `before`: the prompts' vectors are averaged and the mean is given length 1, so its
    product with an image is a cosine. `after`: the mean is left as it is, so its
    product is the mean of the prompts' cosines, less where prompts disagree.
    Raises BakeoffError where a class has no prompt or a vector has no length.
    """
    names, v = strings(texts, "class"), vectors(texts).astype(np.float64)
    missing = [c for c in classes if c not in set(names)]
    length = np.linalg.norm(v, axis=1, keepdims=True)
    if missing or not (np.isfinite(length) & (length > 0)).all():
        raise BakeoffError(
            f"text embeddings of {encoder}",
            f"no vector for classes {listed(missing)}" if missing else "zero or NaN",
            "a finite vector for every prompt, a prompt for every class",
            "Delete the table of texts and run again.",
        )
    means = np.stack([(v / length)[names == c].mean(axis=0) for c in classes])
    if average == "after":
        return means
    return means / np.linalg.norm(means, axis=1, keepdims=True)


def rank_vectors(heads: np.ndarray, values: np.ndarray, anchors: int) -> np.ndarray:
    """(K, d) class vectors in a row, interpolated between those of anchor classes.

    Anchors are the classes at evenly spaced ranks, first and last included; the others
    lie between them in proportion to their numbers, and all are given length 1.
    Neighbouring numbers, which text encoders confuse, thus stand in order (after Li et
    al. 2022, who train the anchors). values: (K,) ascending.
    """
    last = len(values) - 1
    chosen = np.unique(
        np.linspace(0, last, min(anchors, len(values))).round().astype(int)
    )
    columns = [np.interp(values, values[chosen], c) for c in heads[chosen].T]
    between = np.stack(columns, axis=1)
    return between / np.linalg.norm(between, axis=1, keepdims=True)


def tested_images(folds: pa.Table, images: Images) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the images that are ever tested, and the fold where each first is."""
    rows = images.rows(strings(folds, "image_id"))
    repeat, fold = (np.asarray(folds.column(name)) for name in ("repeat", "fold"))
    tested = np.flatnonzero(fold >= 0)
    tested = tested[np.lexsort((repeat[tested], rows[tested]))]
    first, at = np.unique(rows[tested], return_index=True)
    return first, fold[tested][at]
