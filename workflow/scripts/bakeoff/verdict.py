"""Comparisons in words: one sentence per pair, and an answer for the whole study.

An inconclusive comparison is never worded as "no difference": the sentence says what
these images could have shown, and how many would settle the matter.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any

import pyarrow as pa

from bakeoff.compare.labels import LABEL_UNITS, TESTS, in_points
from bakeoff.metrics.definitions import METRICS
from bakeoff.stats.power import images_by_scaling

_SWAPPED = {"better": "worse", "worse": "better"}


@dataclass(frozen=True)
class Answer:
    """What one method and protocol say: the answer, checks of it, then why, in sentences.

    `where` is empty where nothing was compared, and so are `leader`, the encoder that the
    answer puts first, and `run`, its protocol and method.
    """

    where: str
    headline: str
    checks: Sequence[str] = ()
    details: Sequence[str] = ()
    leader: str = ""
    run: tuple[str, str] = ("", "")


def sentence(row: Mapping[str, Any]) -> str:
    """The verdict of one primary row of the table of comparisons, in words.

    Differences are worded so that more is better, whichever way the metric points.
    Raises ValueError for a row that carries no verdict.
    """
    verdict = row["verdict"]
    if verdict not in _WORDINGS:
        raise ValueError(f"no verdict rests on this row: {dict(row)}")
    if verdict == "refused":
        return (
            f"No test of {row['a']} against {row['b']} in {_what(row)}: {row['note']}."
        )
    parts = [_WORDINGS[verdict](row), _chances(row), _power(row)]
    return " ".join(part for part in parts if part)


def answers(
    comparisons: pa.Table, metrics: Sequence[str], *, control: str | None = None
) -> list[Answer]:
    """Which encoder to use: an answer per method and protocol.

    metrics: the first decides; of the others those are told by which another encoder
    beats the leader. control: id of an encoder that every other one must beat, such as
    one with random weights. The headline names what the leader beats and what it cannot
    be told from; the details are the leader against each of the others.
    """
    settings: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in comparisons.to_pylist():
        if row["primary"] and row["metric"] in metrics and not row["class"]:
            settings[row["method"], row["protocol"]].append(row)
    if not any(r["metric"] == metrics[0] for rows in settings.values() for r in rows):
        name = _name(metrics[0])
        return [Answer("", f"No verdict: no two encoders were compared by {name}.")]
    return [
        answer
        for setting, rows in sorted(settings.items())
        for answer in _answer(setting, rows, metrics[0], control)
    ]


def summary_verdict(
    comparisons: pa.Table, metrics: Sequence[str], *, control: str | None = None
) -> list[str]:
    """The same as sentences, one below the other, each saying where it holds."""
    return [
        text
        for answer in answers(comparisons, metrics, control=control)
        for text in (
            *(_placed(answer.where, x) for x in (answer.headline, *answer.checks)),
            *answer.details,
        )
    ]


def turned(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same comparison as b against a."""
    return dict(row) | {
        "a": row["b"],
        "b": row["a"],
        "estimate": -_number(row, "estimate"),
        "ci_low": -_number(row, "ci_high"),
        "ci_high": -_number(row, "ci_low"),
        "p_better": row["p_worse"],
        "p_worse": row["p_better"],
        "verdict": _SWAPPED.get(row["verdict"], row["verdict"]),
    }


def _placed(where: str, text: str) -> str:
    return f"{where}: {text}" if where else text


def _answer(
    setting: tuple[str, str],
    rows: Sequence[dict[str, Any]],
    first: str,
    control: str | None,
) -> list[Answer]:
    where, (method, protocol) = " on ".join(setting), setting
    decisive = [row for row in rows if row["metric"] == first]
    tested = [row for row in decisive if row["verdict"] != "refused"]
    if not tested:
        why = [f"No verdict, because {row['note']}." for row in decisive[:1]]
        return [Answer(where, text) for text in why]
    leader = _leader(tested)
    own = [r if r["a"] == leader else turned(r) for r in rows if leader in _pair(r)]
    others: dict[str, list[str]] = defaultdict(list)
    for row in own:
        if row["metric"] == first:
            others[row["verdict"]].append(row["b"])
    against = [
        row for row in own if row["metric"] != first and row["verdict"] == "worse"
    ]
    turns = [
        f"By another metric the order turns: {sentence(turned(r))}" for r in against
    ]
    why = [sentence(row) for row in own if row["metric"] == first]
    checks = [] if control is None else [_against_control(tested, control)]
    told = _headline(leader, others, control)
    run = (protocol, method)
    return [Answer(where, told, checks, why + turns, leader, run)]


def _leader(rows: Sequence[dict[str, Any]]) -> str:
    """The encoder with the largest mean gain over all others."""
    gains: dict[str, float] = defaultdict(float)
    for row in rows:
        gain = _gain(row, "estimate")
        gain = gain if isfinite(gain) else 0.0
        gains[row["a"]] += gain
        gains[row["b"]] -= gain
    return min(gains, key=lambda encoder: (-gains[encoder], encoder))


def _headline(leader: str, others: Mapping[str, list[str]], control: str | None) -> str:
    beaten = _listed(others.get("better", []))
    told = f"better than {beaten}" if beaten else ""
    same = _listed(others.get("equivalent", []))
    equal = f"equivalent to {same}" if same else ""
    open_ = _listed(others.get("inconclusive", []) + others.get("worse", []))
    facts = " and ".join(part for part in (told, equal) if part)
    if leader == control:
        open_told = f"not told from {open_}" if open_ else ""
        where = ", ".join(part for part in (facts, open_told) if part)
        return (
            f"Nothing was learned: the control {control} leads ({where}), although it "
            "knows nothing. Use none of these encoders on this evidence."
        )
    if not open_:
        return f"Use {leader}: it is {facts}."
    but = f"these images cannot tell it from {open_}"
    return f"{leader} leads{f' ({facts})' if facts else ''}, but {but}."


def _against_control(rows: Sequence[dict[str, Any]], control: str) -> str:
    own = [r if r["b"] == control else turned(r) for r in rows if control in _pair(r)]
    if not own:
        return f"The control {control} was not compared."
    failing = [row["a"] for row in own if row["verdict"] != "better"]
    if not failing:
        return f"Every encoder beats the control {control}, as it must."
    fail = "does not beat" if len(failing) == 1 else "do not beat"
    return (
        f"{_listed(failing)} {fail} the control {control}: find out why "
        "before trusting any other comparison."
    )


def _better(row: Mapping[str, Any]) -> str:
    return f"{row['a']} beats {row['b']} by {_size(row)} {_evidence(row)}."


def _worse(row: Mapping[str, Any]) -> str:
    return f"{row['a']} is worse than {row['b']} by {_size(row)} {_evidence(row)}."


def _equivalent(row: Mapping[str, Any]) -> str:
    return (
        f"{row['a']} and {row['b']} are equivalent in {_what(row)}: a difference of "
        f"{_size(row, named=False)} {_evidence(row)} lies within the band of "
        f"{_amount(row, row['band'])}."
    )


def _inconclusive(row: Mapping[str, Any]) -> str:
    gain = _gain(row, "estimate")
    side = f"{'ahead of' if gain > 0 else 'behind'} {row['b']} by {_size(row)}"
    if gain == 0:
        side = f"level with {row['b']} in {_what(row)}"
    text = (
        f"Inconclusive: {row['a']} is {side} {_evidence(row)}, "
        "which settles neither that they differ nor that they are alike."
    )
    alpha = 1 - (_number(row, "confidence") if row["confidence"] else 0.95)
    p = _number(row, "p")
    if p <= alpha < _number(row, "p_adjusted"):
        text += (
            f" Alone this pair has {_p(p)}; it does not survive that many comparisons."
        )
    if not isfinite(_number(row, "ci_low")) and row["note"]:
        text += f" Note: {row['note']}."
    return text


_WORDINGS = {
    "better": _better,
    "worse": _worse,
    "equivalent": _equivalent,
    "inconclusive": _inconclusive,
    "refused": _inconclusive,
}


def _chances(row: Mapping[str, Any]) -> str:
    if not isfinite(_number(row, "p_better")):
        return ""
    outcomes = {
        f"better by more than {_amount(row, row['band'])}": row["p_better"],
        "equivalent": row["p_equivalent"],
        "worse": row["p_worse"],
    }
    return ", ".join(_chance(what, p) for what, p in outcomes.items()) + "."


def _chance(what: str, p: float) -> str:
    """Never 0 nor 1: no probability of a continuous posterior is certain."""
    if 0.01 <= p <= 0.99:
        return f"P({what}) = {p:.2f}"
    return f"P({what}) {'< 0.01' if p < 0.01 else '> 0.99'}"


def _power(row: Mapping[str, Any]) -> str:
    detectable = _number(row, "detectable")
    if not (isfinite(detectable) and detectable > 0 and row["images"]):
        return ""
    text = (
        f"With {row['images']:,} images like these a true difference of "
        f"{_amount(row, detectable)} is found 8 times out of 10"
    )
    if row["verdict"] != "inconclusive":
        return text + "."
    wanted = max(abs(_number(row, "estimate")), row["band"])
    needed = images_by_scaling(row["images"], detectable, wanted)
    if needed <= row["images"]:
        return text + ", before correction for the number of comparisons."
    return f"{text}; with about {_rounded(needed)}, one of {_amount(row, wanted)}."


def _size(row: Mapping[str, Any], *, named: bool = True) -> str:
    size = _amount(row, abs(_number(row, "estimate")))
    return f"{size} in {_what(row)}" if named else size


def _evidence(row: Mapping[str, Any]) -> str:
    """The interval of the gain, the test and its adjusted p, in brackets."""
    ends = sorted((_gain(row, "ci_low"), _gain(row, "ci_high")))
    if row["verdict"] == "worse" or (
        row["verdict"] == "inconclusive" and _gain(row, "estimate") < 0
    ):
        ends = [-ends[1], -ends[0]]
    parts = [
        TESTS[row["test"]].split(",")[0],
        "adjusted " + _p(_number(row, "p_adjusted")),
    ]
    if all(isfinite(end) for end in ends):
        level = f"{100 * row['confidence']:g} % interval"
        low, high = (_bare(row, end, sign=True) for end in ends)
        parts.insert(0, f"{level} {low} to {high}")
    return f"({'; '.join(parts)})"


def _what(row: Mapping[str, Any]) -> str:
    name = _name(row["metric"])
    return f"{name} of {row['class']}" if row["class"] else name


def _name(metric: str) -> str:
    label = METRICS[metric].label if metric in METRICS else metric.replace("_", " ")
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


def _gain(row: Mapping[str, Any], column: str) -> float:
    """A difference turned so that more is better."""
    metric = METRICS.get(row["metric"])
    higher = metric is None or metric.better == "higher"
    return _number(row, column) * (1 if higher else -1)


def _amount(row: Mapping[str, Any], value: float) -> str:
    unit = "points" if in_points(row["metric"]) else ""
    unit = "label units" if row["metric"] in LABEL_UNITS else unit
    number = _bare(row, value)
    if unit and float(number) == 1:
        unit = unit[:-1]
    return f"{number} {unit}".rstrip()


def _bare(row: Mapping[str, Any], value: float, *, sign: bool = False) -> str:
    scaled, places = (100 * value, 1) if in_points(row["metric"]) else (value, 3)
    scaled = round(scaled, places) + 0.0  # no "-0.0"
    return f"{scaled:{'+' if sign else ''}.{places}f}".replace("-", "−")


def _p(p: float) -> str:
    if not isfinite(p):
        return "p undefined"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _rounded(n: int) -> str:
    """Two significant digits: more would pretend to know."""
    return f"{int(float(f'{n:.2g}')):,}"


def _number(row: Mapping[str, Any], column: str) -> float:
    value = row[column]
    return nan if value is None else float(value)


def _pair(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["a"], row["b"]


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
