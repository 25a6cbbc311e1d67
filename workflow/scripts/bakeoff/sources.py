"""Where the variance of a metric comes from: encoders, folds, prompts, seeds.

A difference between encoders is worth what it is large against. Three designs, each as
far as a study has it: frozen encoders over the folds of a protocol, encoders over the
prompts of the bank one at a time, fine-tuned encoders over their seeds.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bakeoff.compare.seeds import Key
from bakeoff.compare.values import fold_values
from bakeoff.metrics.definitions import METRICS
from bakeoff.metrics.interface import Outcomes
from bakeoff.probes.inputs import Labels, aligned, normalised, read_images
from bakeoff.stats.variance import crossed_components, nested_components
from bakeoff.tables import strings
from bakeoff.zeroshot import class_vectors, tested_images

Levels = Mapping[Any, float]  # {fold or prompt: value}


def variance_rows(
    study: str,
    *,
    folds: Mapping[Key, Mapping[str, Levels]],
    prompts: Mapping[Key, Mapping[str, Levels]],
    seeds: Mapping[Key, Mapping[str, np.ndarray]],
) -> list[dict[str, Any]]:
    """Rows of the table `variance`, from values by encoder and by fold, prompt or seed.

    A design with fewer than two encoders, or two levels of the other factor, has no
    components; seeds of a single encoder have one, their own. Levels at which an
    encoder's metric is undefined are left out.
    """
    rows = []
    for level, values in (("fold", folds), ("prompt", prompts)):
        for key, by_encoder in values.items():
            grid = _grid(by_encoder)
            if min(grid.shape) >= 2:
                parts = crossed_components(grid, ["encoder", level])
                counts = (*grid.shape, grid.size)
                rows += _rows(study, key, f"encoders x {level}s", parts, counts)
    for key, by_family in seeds.items():
        rows += _rows(study, key, "seeds within encoders", *_of_seeds(by_family))
    return rows


def values_by_fold(
    metrics: pa.Table, study: str, names: Sequence[str], encoders: Sequence[str]
) -> dict[Key, dict[str, Levels]]:
    """Values by run (repeat, fold) of protocols that train anew in each.

    encoders: the frozen ones, without the control, whose distance would drown the rest.
    """
    found: dict[Key, dict[str, Levels]] = defaultdict(dict)
    for (encoder, *key), by_run in fold_values(metrics, study).items():
        if encoder in encoders and key[2] in names:
            found[key[0], key[1], key[2]][encoder] = by_run
    return found


def values_by_prompt(
    embeddings: Mapping[str, pa.Table],
    texts: Mapping[str, pa.Table],
    manifest: pa.Table,
    folds: pa.Table,
    *,
    protocol: str,
    names: Sequence[str],
    labels: Labels,
) -> dict[Key, dict[str, Levels]]:
    """Values by prompt: zero-shot classification with that one alone for every class.

    embeddings, texts: tables by encoder. The prompts are those that all classes have at
    the same place of the bank; the images are the ones that the protocol tests. Metrics
    that need more than labels are left out.
    """
    images = read_images(manifest, labels)
    problem, (rows, _) = images.problem, tested_images(folds, images)
    found: dict[Key, dict[str, dict[int, float]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for encoder, bank in texts.items():
        x = normalised(aligned(embeddings[encoder], images, encoder), images, encoder)
        for place in _common_places(bank, problem.classes):
            prompts = bank.filter(pc.field("template") == place)
            heads = class_vectors(prompts, problem.classes, "before", encoder)
            outcomes = Outcomes(
                images.y[rows],
                (x[rows] @ heads.T).argmax(axis=1),
                problem.classes,
                problem.values,
                ordinal=problem.ordinal,
            )
            for metric in (METRICS[n] for n in names if METRICS[n].applies(outcomes)):
                value = metric.value(outcomes)
                found["zeroshot", protocol, metric.name][encoder][place] = value
    return {key: dict(by_encoder) for key, by_encoder in found.items()}


def _common_places(bank: pa.Table, classes: Sequence[str]) -> list[int]:
    """Places of the bank at which every class has a prompt, sorted."""
    owner, place = strings(bank, "class"), np.asarray(bank.column("template"))
    held = [set(place[owner == name].tolist()) for name in classes]
    return sorted(set.intersection(*held))


def _grid(by_encoder: Mapping[str, Levels]) -> np.ndarray:
    """(E, L) values at the levels at which all encoders have one."""
    rows = list(by_encoder.values())
    levels = [
        level
        for level in (rows[0] if rows else ())
        if all(np.isfinite(row.get(level, np.nan)) for row in rows)
    ]
    return np.array([[row[level] for level in levels] for row in rows]).reshape(
        len(rows), len(levels)
    )


def _of_seeds(
    by_family: Mapping[str, np.ndarray],
) -> tuple[dict[str, float], tuple[int, ...]]:
    """Components and numbers of levels; as many seeds of each as the fewest have."""
    seeds = min(len(values) for values in by_family.values())
    grid = np.stack([values[:seeds] for values in by_family.values()])
    if len(grid) == 1:
        return {"seed": float(grid.var(ddof=1))}, (seeds,)
    between, within = nested_components(grid)
    return {"encoder": between, "seed": within}, (len(grid), seeds)


def _rows(
    study: str,
    key: Key,
    design: str,
    parts: Mapping[str, float],
    levels: Sequence[int],
) -> list[dict[str, Any]]:
    method, protocol, metric = key
    total = sum(parts.values())
    return [
        {
            "study": study,
            "method": method,
            "protocol": protocol,
            "metric": metric,
            "design": design,
            "source": source,
            "levels": count,
            "variance": variance,
            "sd": variance**0.5,
            "share": variance / total if total else None,
        }
        for (source, variance), count in zip(parts.items(), levels, strict=True)
    ]
