"""The configuration: defaults, refusals, and how they are worded."""

from pathlib import Path

import pytest
from bakeoff.errors import BakeoffError
from hypothesis import given
from hypothesis import strategies as st
from planning.config import complete, load_schema
from planning.plan import PROBABILISTIC
from planning.reference import reference

SCHEMA = load_schema(Path(__file__).parents[2] / "config/schema.yaml")
LEAST = {
    "encoders": ["a"],
    "studies": {"birds": {"images": "birds", "labels": "nominal"}},
}


def refusal(**changes: object) -> str:
    with pytest.raises(BakeoffError) as caught:
        complete({**LEAST, **changes}, SCHEMA)
    return str(caught.value)


def test_defaults_reach_every_level_and_spare_what_is_given() -> None:
    config = complete({**LEAST, "probes": {"mine": {"kind": "ridge"}}}, SCHEMA)
    assert config["probes"]["mine"]["alpha"] == 6.0
    assert "C" not in config["probes"]["mine"]
    assert config["protocols"]["cv10"]["folds"] == 10
    assert config["studies"]["birds"]["on_unreadable"] == "stop"
    assert config["encoders"] == ["a"]


def test_the_given_configuration_is_not_changed() -> None:
    given = {"encoders": ["a"], "studies": {"b": {"images": "b", "labels": "nominal"}}}
    complete(given, SCHEMA)
    assert given["studies"]["b"] == {"images": "b", "labels": "nominal"}


def test_an_unknown_key_is_refused_with_its_path_and_the_closest_known_name() -> None:
    message = refusal(extraction={"percision": "fp32"})
    assert "extraction.percision: unknown key; did you mean 'precision'?" in message


def test_an_unknown_key_of_a_probe_names_those_of_its_kind_only() -> None:
    message = refusal(probes={"r": {"kind": "ridge", "alhpa": 1}})
    assert "probes.r.alhpa: unknown key; did you mean 'alpha'?" in message
    assert "C" not in message.split("known here:")[1]


def test_a_value_outside_its_choices_names_the_choices() -> None:
    study = {"images": "x", "labels": "ordnal"}
    message = refusal(studies={"x": study})
    assert (
        'studies.x.labels: "ordnal" is not allowed; one of nominal, ordinal' in message
    )
    assert "did you mean 'ordinal'?" in message


def test_every_problem_is_reported_at_once() -> None:
    message = refusal(seed=-1, encoders=[], statistics={"confidence": 2})
    assert message.count("\n  ") == 3


def test_a_missing_key_is_named_where_it_is_missing() -> None:
    assert "studies.x: missing 'labels'" in refusal(studies={"x": {"images": "x"}})


def test_reserved_and_hostile_study_names_are_refused() -> None:
    for name in ("across", "demo", "store", "../up", "a/b", "", "x" * 65, "a\0b", "-x"):
        assert "studies" in refusal(studies={name: LEAST["studies"]["birds"]})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda children: (
            st.lists(children, max_size=3)
            | st.dictionaries(st.text(), children, max_size=3)
        ),
        max_leaves=8,
    ).filter(lambda value: isinstance(value, dict)),
    st.sampled_from(sorted(SCHEMA["properties"])),
)
def test_nothing_but_a_bakeoff_error_comes_of_any_input(value: dict, key: str) -> None:
    for config in (value, {**LEAST, key: value}):
        try:
            complete(config, SCHEMA)
        except BakeoffError as error:
            assert "  " in str(error)


def test_every_key_has_a_description() -> None:
    def missing(schema: object, where: str) -> list[str]:
        if not isinstance(schema, dict):
            return []
        found = []
        for key, part in schema.get("properties", {}).items():
            if "description" not in part:
                found.append(f"{where}.{key}")
            found += missing(part, f"{where}.{key}")
        for name, part in schema.get("$defs", {}).items():
            found += missing(part, name)
        for branch in schema.get("allOf", []):
            found += missing(branch.get("then"), where)
        return found

    assert missing(SCHEMA, "") == []


def test_the_reference_page_is_that_of_the_schema() -> None:
    written = (Path(__file__).parents[2] / "config/README.md").read_text("utf-8")
    assert written == reference(SCHEMA), "run `make reference`"


def test_the_schema_knows_the_settings_of_every_probe_and_no_other() -> None:
    import dataclasses

    from bakeoff.probes.registry import PROBES

    probe = SCHEMA["$defs"]["probe"]
    assert set(probe["properties"]["kind"]["enum"]) == set(PROBES)
    branches = {
        branch["if"]["properties"]["kind"]["const"]: branch["then"]["properties"]
        for branch in probe["allOf"]
    }
    for kind, probe_class in PROBES.items():
        defaults = {f.name: f.default for f in dataclasses.fields(probe_class)}
        for key, part in branches.get(kind, {}).items():
            assert key in defaults, f"{kind}.{key}"
            if key not in ("alphas", "Cs"):  # the grids of the code
                assert part["default"] == defaults[key], f"{kind}.{key}"


def test_reliability_is_planned_for_the_probes_that_give_probabilities() -> None:
    from bakeoff.probes.registry import PROBES

    given = {k for k, p in PROBES.items() if p.scores in ("probability", "logit")}
    assert set(PROBABILISTIC) == given


def test_the_schema_knows_every_metric_that_can_be_compared() -> None:
    from bakeoff.metrics.definitions import METRICS

    metrics = SCHEMA["$defs"]["study"]["properties"]["metrics"]
    comparable = [name for name in METRICS if not name.endswith("_perfect")]
    assert metrics["items"]["enum"] == comparable


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_are_finite(value: float) -> None:
    assert "statistics.confidence" in refusal(statistics={"confidence": value})
    message = refusal(probes={"r": {"kind": "ridge", "alpha": value}})
    assert message.count("probes.r.alpha: ") == 1
    study = {"images": "x", "labels": "ordinal", "clip": [1, value]}
    message = refusal(studies={"x": study})
    assert "studies.x.clip.1: " in message and "a finite number" in message


def test_equivalence_is_of_metrics_that_exist() -> None:
    message = refusal(statistics={"equivalence": {"acuracy": 0.01}})
    assert 'statistics.equivalence: "acuracy"' in message
    assert "did you mean 'accuracy'?" in message
    known = SCHEMA["properties"]["statistics"]["properties"]["equivalence"]
    metrics = SCHEMA["$defs"]["study"]["properties"]["metrics"]["items"]
    assert known["propertyNames"] == metrics
