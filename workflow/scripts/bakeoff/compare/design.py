"""What the design of a protocol allows to be tested.

- runs: a trained method with several runs, which share images. Their layout says which
  standard error holds (`stats.over_runs`).
- fixed: one run, or a method without training. Images are compared one by one, or
  group by group where images come in groups.
- refused: no valid test exists.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pyarrow as pa

from bakeoff.errors import BakeoffError, listed
from bakeoff.folds import Run as Divided
from bakeoff.folds import runs as runs_of_folds
from bakeoff.metrics import checks
from bakeoff.metrics.outcomes import Run, outcomes
from bakeoff.stats.over_runs import Layout
from bakeoff.tables import origin

ZERO_SHOT = "zeroshot"
Groups = Mapping[str, str | None]


@dataclass(frozen=True)
class Panel:
    """All encoders of one method and protocol: their runs, in one order.

    kind: of the protocol, such as `kfold`; empty where the predictions do not say.
    """

    method: str
    protocol: str
    runs: dict[str, list[Run]]
    kind: str = ""

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
    """kind; of several runs their layout and mean of test over training images."""

    kind: Literal["runs", "fixed", "refused"]
    layout: Layout | None = None
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
    kinds: dict[str, str] = {}
    shared: dict[tuple[str, int, int], np.ndarray] = {}
    for table in predictions:
        for run in outcomes(table):
            run = _sharing_ids(run, shared)
            found[run.method, run.protocol][run.encoder].append(run)
            kinds[run.protocol] = origin(table).get("design") or ""
    checks.same_images([r for p in found.values() for own in p.values() for r in own])
    return [
        Panel(*key, _same_runs(key, _ordered(own, encoders)), kinds[key[1]])
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
    if panel.kind == "curve" and trained:
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
    images = folds[panel.protocol].column("image_id").unique()
    ratio = np.mean([len(run.test_ids) / len(run.train_ids) for run in divided])
    return Design("runs", layout_of(panel, divided, len(images)), float(ratio))


def layout_of(panel: Panel, divided: Sequence[Divided], images: int) -> Layout:
    """How the runs share their images; images: how many the protocol divides.

    Several runs per repeat are folds. Repeats of one run are few-shot draws where they
    are tested on the same images each time, or where the protocol says so; else each is
    a hold-out with test images of its own.
    """
    tested = sum(len(run.test_ids) for run in divided)
    trained = np.array([len(run.train_ids) for run in divided])
    common = set(divided[0].test_ids)
    pool = images
    kind: Literal["folds", "holdout", "crossed", "drawn"]
    if len(divided) > len({run.repeat for run in divided}):
        kind = "folds"
    elif all(set(run.test_ids) == common for run in divided):
        kind, pool = "crossed", images - len(common)
    else:
        kind = "drawn" if panel.kind == "fewshot" else "holdout"
    reuse, fraction = float(np.mean(images / trained)), float(trained.mean() / pool)
    return Layout(kind, images, reuse, tested / images, fraction)


def _divided(panel: Panel, folds: Mapping[str, pa.Table]) -> list[Divided]:
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
    return [run for key, run in sorted(found.items()) if key in wanted]


def _straddling(divided: Sequence[Divided], groups: Groups | None) -> set[str]:
    """Groups that are trained on and tested in one run."""
    if groups is None:
        return set()

    def named(ids: np.ndarray) -> set[str]:
        return {g for image in ids if (g := groups.get(str(image))) is not None}

    return {g for run in divided for g in named(run.train_ids) & named(run.test_ids)}


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
