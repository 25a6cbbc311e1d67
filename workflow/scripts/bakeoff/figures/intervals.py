"""One overall value with its interval from the metrics' rows of one run."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bakeoff.figures.frames import OVERALL
from bakeoff.stats.shares import wilson


@dataclass(frozen=True)
class Estimate:
    """A value in stored units; `low`, `high` NaN without an interval.

    `top` and `bottom` are the counts of a share as stored, NaN for other metrics.
    """

    value: float
    low: float = float("nan")
    high: float = float("nan")
    top: float = float("nan")
    bottom: float = float("nan")


def overall(
    runs: pd.DataFrame, confidence: float = 0.95, *, images: float | None = None
) -> Estimate:
    """The value over all repeats, with Wilson's interval where it is a share.

    `runs` are the rows of one encoder, method, protocol, class and metric. The interval
    is that of the images of one repetition: predicting the same images again does not
    make more images. `images` is that number where `runs` has no rows of single
    repetitions. Where images come in groups, it is that of as many independent images
    as they are worth (`metrics.effective`). Wilson, E. B. (1927), JASA 22:209-212.
    """
    whole = runs[runs["fold"] == OVERALL]
    total = whole[whole["repeat"] == OVERALL]
    repeats = whole[whole["repeat"] != OVERALL]
    chosen = total if len(total) else repeats
    value = float(chosen["value"].mean())
    top, bottom = (
        float(chosen[name].sum(min_count=1)) for name in ("numerator", "denominator")
    )
    single = (repeats if len(repeats) else whole)["denominator"].mean()
    n = float(single if images is None else images)
    if "units" in total and np.isfinite(units := total["units"].mean()):
        n = float(units)
    if not (np.isfinite(n) and n > 0 and np.isfinite(value)):
        return Estimate(value, top=top, bottom=bottom)
    return Estimate(value, *wilson(value * n, n, confidence), top, bottom)
