"""What the design of a protocol allows to be tested.

- folds: a trained method with several runs. Training images are shared between runs,
  so fold values are compared by the corrected t test.
- fixed: one run, or a method without training. Images are compared one by one, or
  group by group where images come in groups.
- refused: no test would keep its word.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pyarrow as pa

from bakeoff.errors import BakeoffError, listed
from bakeoff.folds import runs as runs_of_folds
from bakeoff.metrics import checks
from bakeoff.metrics.outcomes import Run, outcomes
from bakeoff.tables import origin

ZERO_SHOT = "zeroshot"
Groups = Mapping[str, str | None]


@dataclass(frozen=True)
class Panel:
    """All encoders of one method and protocol: their runs, in one order."""

    method: str
    protocol: str
    runs: dict[str, list[Run]]
    curve: bool

    @property
    def encoders(self) -> list[str]:
        """Encoder ids, in the order that was asked for."""
        return list(self.runs)

    @property
    def keys(self) -> list[tuple[int, int]]:
        """(repeat, fold) of every run."""
        return [(run.repeat, run.fold) for run in self.runs[self.encoders[0]]]

    @cached_property
    def images(self) -> int:
        """Distinct images tested."""
        own = self.runs[self.encoders[0]]
        return len(set().union(*(run.image_ids for run in own)))


@dataclass(frozen=True)
class Design:
    """kind, and for folds the mean of test over training images of a run."""

    kind: Literal["folds", "fixed", "refused"]
    ratio: float = float("nan")
    reason: str = ""


def panels(
    predictions: Iterable[pa.Table], encoders: Sequence[str] = ()
) -> list[Panel]:
    """The predictions by method and protocol, checked to be of the same images.

    Tables are taken one at a time, and encoders share the ids of their images.

    `encoders` come first, in their order; the others after them, by name. Raises
    BakeoffError where encoders differ in their images, labels, classes or runs.
    """
    found: dict[tuple[str, str], dict[str, list[Run]]] = defaultdict(
        lambda: defaultdict(list)
    )
    curves: set[str] = set()
    shared: dict[tuple[str, int, int], np.ndarray] = {}
    for table in predictions:
        for run in outcomes(table):
            run = _sharing_ids(run, shared)
            found[run.method, run.protocol][run.encoder].append(run)
            if origin(table).get("design") == "curve":
                curves.add(run.protocol)
    checks.same_images([r for p in found.values() for own in p.values() for r in own])
    return [
        Panel(*key, _same_runs(key, _ordered(own, encoders)), key[1] in curves)
        for key, own in sorted(found.items())
    ]


def _sharing_ids(run: Run, shared: dict[tuple[str, int, int], np.ndarray]) -> Run:
    """The run, its ids those of the first encoder's run where they are equal."""
    key = (run.protocol, run.repeat, run.fold)
    ids = shared.setdefault(key, run.image_ids)
    return replace(run, image_ids=ids) if np.array_equal(ids, run.image_ids) else run


def design_of(
    panel: Panel,
    folds: Mapping[str, pa.Table],
    groups: Groups | None,
    finetuned: Collection[str],
) -> Design:
    """What may be tested of a panel.

    folds: table of folds of every protocol. Raises BakeoffError where a trained
    method's protocol has none.
    """
    trained = panel.method != ZERO_SHOT
    if panel.curve and trained:
        reason = "a learning curve trains every repeat on other numbers of images"
        return Design("refused", reason=reason)
    learnt = trained or bool(set(panel.encoders) & set(finetuned))
    if not learnt:
        return Design("fixed")
    divided = _divided(panel, folds)
    straddling = _straddling(divided, groups)
    if straddling:
        return Design(
            "refused",
            reason=f"{len(straddling)} groups ({listed(sorted(straddling), 3)}) have "
            "images in training and test at once, so the scores are inflated and no "
            "p-value is valid; divide whole groups",
        )
    if not trained or len(panel.keys) == 1:
        return Design("fixed")
    return Design("folds", ratio=float(np.mean([t / n for t, n, *_ in divided])))


# One run: images tested, images trained on, and the ids of both.
_Divided = tuple[int, int, np.ndarray, np.ndarray]


def _divided(panel: Panel, folds: Mapping[str, pa.Table]) -> list[_Divided]:
    wanted = set(panel.keys)
    table = folds.get(panel.protocol)
    own = [] if table is None else list(runs_of_folds(table))
    found = {(run.repeat, run.fold): run for run in own}
    missing = wanted - set(found)
    if missing and panel.method != ZERO_SHOT:
        raise BakeoffError(
            f"comparison of {panel.method}, {panel.protocol}",
            f"no division for the runs {listed(sorted(missing))}",
            "the table of folds that the predictions were made with",
            "Make the folds and the predictions again, together.",
        )
    return [
        (len(run.test_ids), len(run.train_ids), run.train_ids, run.test_ids)
        for key, run in sorted(found.items())
        if key in wanted
    ]


def _straddling(divided: Sequence[_Divided], groups: Groups | None) -> set[str]:
    """Groups that are trained on and tested in one run."""
    if groups is None:
        return set()

    def named(ids: np.ndarray) -> set[str]:
        return {g for image in ids if (g := groups.get(str(image))) is not None}

    return {g for *_, train, test in divided for g in named(train) & named(test)}


def _ordered(
    own: Mapping[str, list[Run]], encoders: Sequence[str]
) -> dict[str, list[Run]]:
    known = [encoder for encoder in encoders if encoder in own]
    return {e: own[e] for e in [*known, *sorted(set(own) - set(known))]}


def _same_runs(
    key: tuple[str, str], own: Mapping[str, list[Run]]
) -> dict[str, list[Run]]:
    """Runs sorted, and the same for every encoder, with the same classes."""
    ordered = {e: sorted(own[e], key=lambda r: (r.repeat, r.fold)) for e in own}
    shapes = {
        (r[0].outcomes.classes, tuple((x.repeat, x.fold) for x in r))
        for r in ordered.values()
    }
    if len(shapes) > 1:
        counts = {e: len(r) for e, r in ordered.items()}
        raise BakeoffError(
            f"comparison of {', '.join(key)}",
            f"encoders with different runs or classes (runs: {counts})",
            "the same folds and classes for every encoder",
            "Make the missing predictions; all encoders share one table of folds.",
        )
    return ordered
