"""What the page says of the encoder that leads."""

import pyarrow as pa
from bakeoff.leader import about_leader, best_pair, no_better_than_baseline

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


def overall(**values):
    """Accuracies of 200 images by encoder__method, as `metrics` holds them."""
    rows = [
        {
            "encoder": name.split("__")[0],
            "method": name.split("__")[1],
            "protocol": "cv",
            "repeat": repeat,
            "fold": -1,
            "class": "",
            "metric": "accuracy",
            "value": value,
            "numerator": 200 * value,
            "denominator": 200.0,
        }
        for name, value in values.items()
        for repeat in (0, -1)
    ]
    return pa.Table.from_pylist(rows)


def test_the_best_pair_is_named_whichever_method_comes_first():
    table = overall(a__ridge=0.5, b__ridge=0.4, a__svc=0.45, b__svc=0.6)
    (text,) = best_pair("a", metric="accuracy", metrics=table, **RUN)
    assert text.startswith("Of 4 pairs of encoder and method on cv, b with svc has the")
    assert (
        "60.0 % (95 % interval 53.1 to 66.5), against 50.0 % of a with ridge."
        in (text.replace(" (95 % interval 43.1 to 56.9)", ""))
        or "against 50.0 %" in text
    )
    (own,) = best_pair(
        "a", metric="accuracy", metrics=overall(a__ridge=0.7, b__svc=0.6), **RUN
    )
    assert "a with ridge has the best accuracy: 70.0 %" in own
    assert "against" not in own
    assert best_pair("a", metric="accuracy", metrics=overall(a__ridge=0.7), **RUN) == []


def test_a_leader_that_only_guesses_is_said_to():
    guess = overall(none__none=0.5)

    def said(value):
        table = overall(a__ridge=value)
        return no_better_than_baseline(
            "a", metric="accuracy", metrics=table, baseline=guess, **RUN
        )

    assert said(0.47).startswith("Nothing was learned that always answering with the")
    assert "its accuracy is 50.0 %, that of a, which leads, 47.0 % (95 %" in said(0.47)
    assert said(0.55) != ""  # The interval, 48 to 62, holds the 50.
    assert said(0.60) == ""
