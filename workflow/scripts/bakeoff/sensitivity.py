"""What a probe's setting decides, and what a single training image does.

Two checks of one probe on one encoder, on the runs of the first repeat:

- the deciding metric for every value of the probe's setting, whichever is configured;
- how many test images are right as configured, and the fewest and the most of them when
  one training image is left out. Predictions that a single image of hundreds can move by
  more than the interval of the accuracy rest on an accident.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from bakeoff.folds import runs
from bakeoff.metrics.definitions import METRICS
from bakeoff.metrics.interface import Outcomes
from bakeoff.probes.inputs import Images, Labels, read_images
from bakeoff.probes.interface import Fold, Predicted, Probe
from bakeoff.probes.outputs import joined
from bakeoff.probes.registry import setting_of
from bakeoff.probes.ridge import Ridge
from bakeoff.probes.run import fold_of, prepared

# Training images that are left out, one after the other: with ridge there is a formula,
# other probes are fitted once more for each.
MOST_BY_FORMULA, MOST_BY_REFIT = 2000, 10


def sensitivity_rows(
    embeddings: pa.Table,
    manifest: pa.Table,
    folds: pa.Table,
    *,
    settings: Mapping[str, Any],
    labels: Labels,
    seed: int,
    metric: str,
    encoder: str,
    **names: str,
) -> dict[str, list[Any]]:
    """Columns of the table `sensitivity` of one probe, encoder and protocol.

    settings, labels and seed are those of `run_probe`; metric: the one that decides;
    names: study, method and protocol. The first row, without a value, is the probe as
    configured; then comes one row per value of its setting.
    """
    images = read_images(manifest, labels)
    probe, scaled, features = prepared(settings, embeddings, images, encoder)
    every = list(runs(folds))
    first = [run for run in every if run.repeat == every[0].repeat]
    tasks = [_Task.of(fold_of(r, images, features, seed), scaled, probe) for r in first]
    setting, values = setting_of(probe)
    grid = zip(*(task.predict_each(values) for task in tasks), strict=True)
    truth = np.concatenate([task.truth(images) for task in tasks])
    used = [getattr(task.probe, setting) for task in tasks] if setting else []
    results: list[Sequence[Predicted]] = [
        [task.probe.predict(task.fold()) for task in tasks],
        *grid,
    ]
    rows = len(results)
    return {
        **{name: [text] * rows for name, text in {"encoder": encoder, **names}.items()},
        "setting": [setting] * rows,
        "value": [None, *map(float, values)],
        "metric": [metric] * rows,
        "score": [_score(metric, parts, truth, images, probe) for parts in results],
        "runs": [len(tasks), *(used.count(value) for value in values)],
        "n": [len(truth)] * rows,
        "hits": [int((joined(list(p)).y == truth).sum()) for p in results],
        **_without_one(tasks, images, rows),
    }


@dataclass(frozen=True)
class _Task:
    """One run: its fold, not scaled yet, and the probe with its setting chosen in it."""

    plain: Fold
    scaled: Callable[[Fold], Fold]
    probe: Probe

    @classmethod
    def of(cls, plain: Fold, scaled: Callable[[Fold], Fold], probe: Probe) -> "_Task":
        settle = getattr(probe, "settled", lambda fold: probe)
        return cls(plain, scaled, settle(scaled(plain)))

    def fold(self) -> Fold:
        return self.scaled(self.plain)

    def truth(self, images: Images) -> np.ndarray:
        return images.y[self.plain.test]

    def predict_each(self, values: Sequence[float]) -> list[Predicted]:
        """The predictions for every value of the setting."""
        if isinstance(self.probe, Ridge):
            return self.probe.predict_each(self.fold(), values)
        setting, _ = setting_of(self.probe)
        fold = self.fold()
        return [replace(self.probe, **{setting: v}).predict(fold) for v in values]

    def hits_without(self, rows: np.ndarray, images: Images) -> np.ndarray:
        """(m,) test images that are right without each of the images `rows` in turn.

        An image that is not trained on changes nothing.
        """
        truth, fold = self.truth(images), self.fold()
        here = np.searchsorted(fold.train, rows)
        here = np.minimum(here, len(fold.train) - 1)
        trained = fold.train[here] == rows
        hits = np.full(len(rows), (self.probe.predict(fold).y == truth).sum())
        hits[trained] = self._refitted(here[trained], fold, truth)
        return hits

    def _refitted(
        self, places: np.ndarray, fold: Fold, truth: np.ndarray
    ) -> np.ndarray:
        if isinstance(self.probe, Ridge) and self.probe.has_formula(fold):
            return self.probe.hits_without(fold, places, truth)
        return np.array([self._hits(place, truth) for place in places], dtype=int)

    def _hits(self, place: int, truth: np.ndarray) -> int:
        """Test images that are right without the training image at `place`."""
        plain = self.plain
        units = None if plain.units is None else np.delete(plain.units, place)
        fold = replace(
            plain,
            train=np.delete(plain.train, place),
            y=np.delete(plain.y, place),
            units=units,
        )
        return int((self.probe.predict(self.scaled(fold)).y == truth).sum())


def _without_one(
    tasks: Sequence[_Task], images: Images, rows: int
) -> dict[str, list[Any]]:
    """How many images were left out in turn, and the fewest and most hits without one."""
    trained = np.unique(np.concatenate([task.plain.train for task in tasks]))
    closed = all(
        isinstance(task.probe, Ridge) and task.probe.has_formula(task.plain)
        for task in tasks
    )
    most = min(len(trained), MOST_BY_FORMULA if closed else MOST_BY_REFIT)
    # Ids are hashes and rows are sorted by them: evenly spaced ones are a random sample.
    chosen = trained[np.linspace(0, len(trained) - 1, most).astype(int)]
    hits = np.sum([task.hits_without(chosen, images) for task in tasks], axis=0)
    rest = [None] * (rows - 1)
    return {
        "left_out": [most, *rest],
        "fewest": [int(hits.min()), *rest],
        "most": [int(hits.max()), *rest],
    }


def _score(
    metric: str,
    parts: Sequence[Predicted],
    truth: np.ndarray,
    images: Images,
    probe: Probe,
) -> float | None:
    """The metric of the images of all runs together; None where it does not apply."""
    predicted, problem = joined(list(parts)), images.problem
    outcomes = Outcomes(
        truth,
        predicted.y,
        problem.classes,
        problem.values,
        predicted.raw,
        predicted.scores,
        problem.ordinal,
        probe.scores,
    )
    known = METRICS[metric]
    return known.value(outcomes) if known.applies(outcomes) else None
