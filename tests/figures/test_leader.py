"""What the page says of the encoder that leads."""

import pyarrow as pa
from bakeoff.leader import about_leader

RUN = {"method": "ridge", "protocol": "cv"}


def metrics(*rows):
    names = ("encoder", "method", "protocol", "class", "metric", "value")
    return pa.table({n: [row[i] for row in rows] for i, n in enumerate(names)})


def classes(encoder, method, recalls):
    for label, value in recalls.items():
        yield (encoder, method, "cv", label, "recall", value)
        yield (encoder, method, "cv", label, "support", 50.0)


def costs(*encoders):
    columns = {"encoder": encoders, "latency_ms": [12.34] * len(encoders)}
    columns |= {
        "bytes": [3_605_000_000] * len(encoders),
        "device": ["a CPU"] * len(encoders),
    }
    return pa.table(columns | {"peak_memory_mb": [1234.4] * len(encoders)})


def test_the_images_the_weakest_classes_and_the_cost():
    table = metrics(
        *classes("a", "ridge", {"run": 0.5, "sit": 0.25, "swim": 1.0, "walk": 0.125}),
        *classes("a", "svc", {"run": 0.0}),
        *classes("b", "ridge", {"run": 0.0}),
    )
    found = about_leader("a", metrics=table, costs=costs("b", "a"), **RUN)
    assert found == [
        "Tested on 200 images of 4 classes. a recognises these least often: "
        "walk (12 %), sit (25 %), run (50 %).",
        "a takes 12.3 ms for one image, 3605 MB of weights and 1234 MB of memory "
        "(measured on a CPU).",
    ]


def test_what_is_not_known_is_not_said():
    table = metrics(*classes("b", "ridge", {"run": 0.0}))
    assert about_leader("a", metrics=table, costs=costs("b"), **RUN) == []
    assert about_leader("", metrics=table, costs=costs("b"), **RUN) == []
