import pyarrow as pa
import pytest
from bakeoff.compare.pilot import plans
from bakeoff.errors import BakeoffError


def table(detectable: float | None, **other: object) -> pa.Table:
    row = {
        "method": "ridge",
        "protocol": "cv",
        "a": "x",
        "b": "y",
        "metric": "accuracy",
        "class": "",
        "primary": True,
        "images": 100,
        "detectable": detectable,
    }
    return pa.Table.from_pylist([row | other])


def test_half_the_difference_needs_four_times_the_images():
    (plan,) = plans(table(0.04), 0.02)
    assert (plan.a, plan.b, plan.images, plan.needed) == ("x", "y", 100, 400)


@pytest.mark.parametrize(
    ("given", "difference"),
    [
        (table(0.04), 0.0),
        (table(None), 0.02),
        (table(0.04, primary=False), 0.02),
        (table(0.04, metric="qwk"), 0.02),
    ],
)
def test_what_cannot_be_planned_is_refused(given: pa.Table, difference: float):
    with pytest.raises(BakeoffError, match="power"):
        plans(given, difference)
