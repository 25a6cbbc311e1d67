"""What a finished comparison says about the size of the next study."""

from dataclasses import dataclass

import pyarrow as pa

from bakeoff.errors import BakeoffError
from bakeoff.stats.power import images_by_scaling


@dataclass(frozen=True)
class Plan:
    """Of one pair: what its images show, and images that show the wanted difference."""

    method: str
    protocol: str
    a: str
    b: str
    images: int
    detectable: float
    needed: int


def plans(
    comparisons: pa.Table, difference: float, metric: str = "accuracy"
) -> list[Plan]:
    """A plan for every primary row of `metric` that has a detectable difference.

    difference: in the unit of the metric (a share, not points), found eight times out
    of ten. Standard errors are taken to shrink with the root of the number of images,
    which holds for any test of the table. Raises BakeoffError for a difference that is
    not positive, and where no row can serve as a pilot.
    """
    if not difference > 0:
        raise _useless(f"a difference of {difference}", "a difference above 0")
    found = [
        Plan(
            row["method"],
            row["protocol"],
            row["a"],
            row["b"],
            row["images"],
            row["detectable"],
            images_by_scaling(row["images"], row["detectable"], difference),
        )
        for row in comparisons.to_pylist()
        if row["primary"]
        and row["metric"] == metric
        and not row["class"]
        and row["detectable"]
        and row["images"]
        and row["detectable"] > 0
    ]
    if not found:
        raise _useless(f"no comparison by {metric}", "a tested pair that disagrees")
    return found


def _useless(received: str, expected: str) -> BakeoffError:
    return BakeoffError(
        "power",
        received,
        expected,
        "Give the comparisons of a finished study, or the counts of a pilot run.",
    )
