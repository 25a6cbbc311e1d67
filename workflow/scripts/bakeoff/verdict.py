"""Comparisons as text: one sentence per pair, and an answer for the whole study.

An inconclusive comparison is never called "no difference": the sentence says what these
images could have shown, and how many would settle the matter. No number is printed so
short that it contradicts the verdict: neither 0.0 for a difference that is none, nor
the level itself for a p beside it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any

import pyarrow as pa

from bakeoff.compare.labels import FIXED, LABEL_UNITS, TESTS, bootstrapped, in_points
from bakeoff.metrics.definitions import METRICS
from bakeoff.stats.power import images_by_scaling, least_p_of_flips

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
    """The verdict of one primary row of the table of comparisons, as text.

    Differences are turned so that more is better, whichever way the metric points.
    Raises ValueError for a row that carries no verdict.
    """
    verdict = row["verdict"]
    if verdict not in _SENTENCES:
        raise ValueError(f"no verdict rests on this row: {dict(row)}")
    if verdict == "refused":
        return (
            f"No test of {row['a']} against {row['b']} in {_what(row)}: {row['note']}."
        )
    parts = [_SENTENCES[verdict](row), _chances(row), _power(row), _sensitivity(row)]
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
    table = comparisons.to_pylist()
    bounds = {_place(row): row for row in table if row["test"] == "sum_of_errors"}
    for row in table:
        if row["primary"] and row["metric"] in metrics and not row["class"]:
            bound = {"sensitivity": bounds.get(_place(row))}
            settings[row["method"], row["protocol"]].append(row | bound)
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
    bound = row.get("sensitivity")
    other = {"sensitivity": turned(bound)} if bound else {}
    return (
        dict(row)
        | other
        | {
            "a": row["b"],
            "b": row["a"],
            "estimate": -_number(row, "estimate"),
            "ci_low": -_number(row, "ci_high"),
            "ci_high": -_number(row, "ci_low"),
            "p_better": row["p_worse"],
            "p_worse": row["p_better"],
            "verdict": _SWAPPED.get(row["verdict"], row["verdict"]),
        }
    )


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a row is about, whatever its test."""
    names = ("study", "method", "protocol", "metric", "class", "a", "b")
    return tuple(row[name] for name in names)


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
            others["slightly better" if _slight(row) else row["verdict"]].append(
                row["b"]
            )
    against = [
        row for row in own if row["metric"] != first and row["verdict"] == "worse"
    ]
    turns = [
        f"By another metric the order turns: {sentence(turned(r))}" for r in against
    ]
    why = [sentence(row) for row in own if row["metric"] == first]
    checks = [] if control is None else [_against_control(tested, control)]
    once = _trained_once(tested)
    checks += [_ONCE] if once else []
    headline = _headline(leader, others, control, once)
    run = (protocol, method)
    return [Answer(where, headline, checks, why + turns, leader, run)]


def _leader(rows: Sequence[dict[str, Any]]) -> str:
    """The encoder with the largest mean gain over all others."""
    gains: dict[str, float] = defaultdict(float)
    for row in rows:
        gain = _gain(row, "estimate")
        gain = gain if isfinite(gain) else 0.0
        gains[row["a"]] += gain
        gains[row["b"]] -= gain
    return min(gains, key=lambda encoder: (-gains[encoder], encoder))


def without_advice(headline: str) -> str:
    """A headline that says who leads, where it advised to use an encoder.

    For a leader that is no better than an answer which looks at no image.
    """
    if not headline.startswith("Use "):
        return headline
    leader, _, rest = headline.removeprefix("Use ").partition(": it is ")
    leader = leader.removesuffix(_AS_TRAINED)
    return f"Of these encoders, {leader} leads: it is {rest}"


def _headline(
    leader: str, others: Mapping[str, list[str]], control: str | None, once: bool
) -> str:
    parts = {
        "better than": others.get("better", []),
        "slightly better than": others.get("slightly better", []),
        "equivalent to": others.get("equivalent", []),
    }
    facts = " and ".join(f"{to} {_listed(ids)}" for to, ids in parts.items() if ids)
    open_ = _listed(others.get("inconclusive", []) + others.get("worse", []))
    if leader == control:
        open_told = f"not told from {open_}" if open_ else ""
        where = ", ".join(part for part in (facts, open_told) if part)
        return (
            f"Nothing was learned: the control {control} leads ({where}), although it "
            "knows nothing. Use none of these encoders on this evidence."
        )
    if not open_:
        return f"Use {leader}{_AS_TRAINED if once else ''}: it is {facts}."
    but = f"these images cannot tell it from {open_}"
    return f"{leader} leads{f' ({facts})' if facts else ''}, but {but}."


_AS_TRAINED = ", as trained here"
_ONCE = (
    "Each encoder's model was trained once, on one division of the images: the answer is "
    "about these trained models, not about the encoders, and another division may turn "
    "it. Repeated folds compare the encoders."
)


def _trained_once(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a fixed test set compares models that were trained: probes, fine-tuned."""
    return any(
        row["test"] in FIXED
        and (row["method"] != "zeroshot" or "+" in row["a"] + row["b"])
        for row in rows
    )


def _slight(row: Mapping[str, Any]) -> bool:
    """Whether a difference is there, and more likely within the band than beyond it."""
    decided = row["verdict"] in ("better", "worse")
    return decided and _number(row, "p_equivalent") > 0.5


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
    if _slight(row):
        return f"{row['a']} is slightly better than {row['b']}: {_small(row)}."
    return f"{row['a']} beats {row['b']} by {_size(row)} {_evidence(row)}."


def _worse(row: Mapping[str, Any]) -> str:
    if _slight(row):
        return f"{row['a']} is slightly worse than {row['b']}: {_small(row)}."
    return f"{row['a']} is worse than {row['b']} by {_size(row)} {_evidence(row)}."


def _small(row: Mapping[str, Any]) -> str:
    return (
        f"by {_size(row)} {_evidence(row)}, a difference that is there but likely too "
        f"small to matter, within {_amount(row, row['band'])}"
    )


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
    return " ".join([text, *_why_open(row)])


def _why_open(row: Mapping[str, Any]) -> list[str]:
    """What keeps a row from a verdict, where its numbers alone do not show it."""
    low, high = (_number(row, end) for end in ("ci_low", "ci_high"))
    if not isfinite(low):
        return [f"Note: {row['note']}."] if row["note"] else []
    alpha, p = _alpha(row), _number(row, "p")
    parts = []
    if p <= alpha < _number(row, "p_adjusted"):
        alone = _p(p, alpha)
        parts.append(
            f"Alone this pair has {alone}; it does not survive that many comparisons."
        )
    if (low > 0 or high < 0) != (p <= alpha):
        parts.append(
            "Test and interval are two methods that disagree here; a verdict needs both."
        )
    if -row["band"] <= low and high <= row["band"]:
        parts.append(
            f"Alone this pair would be equivalent, within {_amount(row, row['band'])}; "
            "that does not survive so many comparisons."
        )
    return parts


_SENTENCES = {
    "better": _better,
    "equivalent": _equivalent,
    "worse": _worse,
    "inconclusive": _inconclusive,
    "refused": _inconclusive,
}


def _chances(row: Mapping[str, Any]) -> str:
    """Chances of the test's own distribution; or shares of bootstrap samples, as such."""
    if not isfinite(_number(row, "p_better")):
        return ""
    band = _amount(row, row["band"])
    outcomes = {
        f"better by more than {band}": row["p_better"],
        f"within {band} either way": row["p_equivalent"],
        f"worse by more than {band}": row["p_worse"],
    }
    if bootstrapped(row["test"], row["class"]):
        shares = ", ".join(f"{_percent(p)} {what}" for what, p in outcomes.items())
        return f"Of the bootstrap samples, {shares}."
    return ", ".join(_chance(what, p) for what, p in outcomes.items()) + "."


def _chance(what: str, p: float) -> str:
    """Never 0 nor 1: no probability of a continuous posterior is certain."""
    if 0.01 <= p <= 0.99:
        return f"P({what}) = {p:.2f}"
    return f"P({what}) {'< 0.01' if p < 0.01 else '> 0.99'}"


def _percent(share: float) -> str:
    """Never 0 nor 100: more samples might show what these do not."""
    if 0.01 <= share <= 0.99:
        return f"{100 * share:.0f} %"
    return "under 1 %" if share < 0.01 else "over 99 %"


def _sensitivity(row: Mapping[str, Any]) -> str:
    """The conservative interval beside the primary one, where the table has it."""
    bound = row.get("sensitivity")
    if bound is None or not isfinite(_number(bound, "ci_low")):
        return ""
    ends = sorted((_gain(bound, "ci_low"), _gain(bound, "ci_high")))
    low, high = (_bare(row, end, sign=True) for end in _facing(row, ends))
    excludes = _number(bound, "ci_low") > 0 or _number(bound, "ci_high") < 0
    return (
        f"Sensitivity: an interval that assumes nothing of how the two vary together is "
        f"{low} to {high} and {'excludes' if excludes else 'includes'} zero."
    )


def _facing(row: Mapping[str, Any], ends: list[float]) -> list[float]:
    """Ends of an interval turned to the side that the sentence speaks of."""
    behind = row["verdict"] in ("inconclusive", "equivalent") and (
        _gain(row, "estimate") < 0
    )
    return [-ends[1], -ends[0]] if behind or row["verdict"] == "worse" else ends


_UNADJUSTED = "(for one pair, before adjustment for the number of comparisons)"


def _power(row: Mapping[str, Any]) -> str:
    detectable = _number(row, "detectable")
    if not row["images"] or not isfinite(_number(row, "ci_low")):
        return ""
    images = f"With {row['images']:,} images like these"
    if not (isfinite(detectable) and detectable > 0):
        return "" if row["verdict"] != "inconclusive" else _powerless(row, images)
    size = _amount(row, detectable)
    text = f"{images} a true difference of {size} is found 8 times out of 10"
    wanted = max(abs(_number(row, "estimate")), row["band"])
    if row["verdict"] != "inconclusive" or not 0 < wanted < detectable:
        return f"{text} {_UNADJUSTED}."
    needed = images_by_scaling(row["images"], detectable, wanted)
    more = f"with about {_rounded(needed)}, one of {_amount(row, wanted)}"
    return f"{text}; {more} {_UNADJUSTED}."


def _powerless(row: Mapping[str, Any], images: str) -> str:
    least = least_p_of_flips(row["n"])
    if "sign_flip" in row["test"] and least > _alpha(row):
        return (
            f"With {row['n']} groups the test gives no p below {least:.2g}, however large "
            "the difference."
        )
    return f"{images} no possible difference would be found 8 times out of 10."


def _size(row: Mapping[str, Any], *, named: bool = True) -> str:
    size = _amount(row, abs(_number(row, "estimate")))
    return f"{size} in {_what(row)}" if named else size


def _evidence(row: Mapping[str, Any]) -> str:
    """The interval of the gain, the test and its adjusted p, in brackets.

    Where the interval comes from another method than p, each is named.
    """
    ends = _facing(row, sorted((_gain(row, "ci_low"), _gain(row, "ci_high"))))
    test, _, interval = TESTS[row["test"]].partition(", ")
    alpha = _alpha(row)
    parts = [f"{test}, adjusted {_p(_number(row, 'p_adjusted'), alpha)}"]
    if row["verdict"] == "equivalent":
        p = _p(_number(row, "p_tost"), alpha / 2)
        parts = [f"two one-sided tests, adjusted {p}"]
    if all(isfinite(end) for end in ends):
        low, high = (_bare(row, end, sign=True) for end in ends)
        level = f"{100 * row['confidence']:g} %"
        parts.insert(0, f"{level} {interval or 'interval'} {low} to {high}")
    return f"({'; '.join(parts)})"


def _alpha(row: Mapping[str, Any]) -> float:
    return 1 - (_number(row, "confidence") if row["confidence"] else 0.95)


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
    """In points or in the metric's unit, so long that the verdict can be read from it.

    A number that is not 0, nor an end of the band, is not printed as if it were.
    """
    scale, places = (100, 1) if in_points(row["metric"]) else (1, 3)
    scaled, band = scale * value, scale * _number(row, "band")
    others = [x for x in (0.0, band, -band) if abs(scaled - x) > 1e-9]
    while places < 9 and any(round(scaled - x, places) == 0 for x in others):
        places += 1
    scaled = round(scaled, places) + 0.0  # no "-0.0"
    return f"{scaled:{'+' if sign else ''}.{places}f}".replace("-", "−")


def _p(p: float, alpha: float) -> str:
    """Three decimals; more where three would print the level that it is compared with."""
    if not isfinite(p):
        return "p undefined"
    if p < 0.001:
        return "p < 0.001"
    places = 3
    while round(p, places) == round(alpha, places) and places < 6:
        places += 1
    return f"p = {p:.{places}f}"


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
