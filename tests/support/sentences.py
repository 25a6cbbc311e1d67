"""Random comparisons, and what in a sentence contradicts the row that it speaks of."""

import re
from collections.abc import Mapping
from math import isfinite, nan
from typing import Any

import numpy as np
from bakeoff.compare.labels import bootstrapped, default_band, in_points
from bakeoff.compare.rows import Question, Row, columns, decide
from bakeoff.metrics.definitions import METRICS
from bakeoff.stats.power import detectable_difference, least_p_of_flips
from bakeoff.stats.proportions import mcnemar_midp, tango
from bakeoff.stats.result import Chances, Result
from scipy import stats

NAMES = ("accuracy", "macro_f1", "within_1", "rmse", "macro_mae", "bias", "qwk")


def random_family(rng: np.random.Generator) -> list[dict[str, Any]]:
    """1 to 10 decided rows of one metric and one test, as the table has them.

    Tests of a t distribution, some with equal differences and no interval; McNemar's
    with Tango's interval; sign flips with the percentiles of a bootstrap. Differences
    from far below the band to far above it, and from certain to hopeless.
    """
    kind = rng.choice([_t_row, _mcnemar_row, _flip_row])
    metric = "accuracy" if kind is _mcnemar_row else str(rng.choice(NAMES))
    band, images = default_band(metric), int(rng.integers(10, 5000))
    rows = []
    for k in range(rng.integers(1, 11)):
        better = METRICS[metric].better
        question = Question(
            "s", "ridge", "cv", metric, "", "a", f"b{k}", better, band, images
        )
        rows.append(kind(question, rng))
    decide(rows)
    cells = columns(rows)
    return [{name: cells[name][k] for name in cells} for k in range(len(rows))]


def _t_row(q: Question, rng: np.random.Generator) -> Row:
    df = int(rng.integers(1, 100))
    error = float(q.band * 10 ** rng.uniform(-1.5, 2))
    estimate = float(q.band * rng.normal() * 10 ** rng.uniform(-1, 1.3))
    if rng.random() < 0.05:
        return Row(
            q, "corrected_t", True, Result(9, estimate, df=df), 0.95, note="none"
        )
    reach = stats.t.ppf([0.975, 0.8], df)
    half, t = float(reach[0]) * error, estimate / error
    p = float(2 * stats.t.sf(abs(t), df))
    result = Result(df + 1, estimate, estimate - half, estimate + half, t, df, p)
    above, below = stats.t.sf(
        [(q.band - estimate) / error, (q.band + estimate) / error], df
    ).tolist()
    chances = Chances(above, 1 - above - below, below)
    detectable = float(reach.sum()) * error
    return Row(q, "corrected_t", True, result, 0.95, chances, detectable)


def _mcnemar_row(q: Question, rng: np.random.Generator) -> Row:
    n, b, c = (
        q.images,
        *rng.integers(0, q.images // rng.integers(2, 50) + 1, 2).tolist(),
    )
    b, c = (b, c) if rng.random() < 0.7 else (b, b)
    result = Result(n, (b - c) / n, *tango(b, c, n), b - c, p=mcnemar_midp(b, c))
    drawn = rng.multinomial(n, [b / n, c / n, 1 - (b + c) / n], 300)
    chances, _ = _shares((drawn[:, 0] - drawn[:, 1]) / n, q.band)
    reach = detectable_difference(n, (b + c) / n)
    return Row(q, "mcnemar_midp", True, result, 0.95, chances, reach)


def _flip_row(q: Question, rng: np.random.Generator) -> Row:
    units = int(rng.integers(2, 30))
    d = q.band * 10 ** rng.uniform(-1, 1.5) * rng.normal(rng.normal(), 1, units)
    d = d.clip(-1, 1)
    signs = rng.choice([-1, 1], (300, units))
    p = (1 + (abs((signs * d).mean(axis=1)) >= abs(d.mean())).sum()) / 301
    p = max(float(p), least_p_of_flips(units))
    gaps = d[rng.integers(0, units, (300, units))].mean(axis=1)
    chances, spread = _shares(gaps, q.band)
    low, high = np.quantile(gaps, [0.025, 0.975]).tolist()
    result = Result(units, float(d.mean()), low, high, p=p)
    reach = 2.8 * spread if least_p_of_flips(units) <= 0.05 else nan
    return Row(q, "cluster_sign_flip", True, result, 0.95, chances, reach)


def _shares(gaps: np.ndarray, band: float) -> tuple[Chances, float]:
    above, below = float((gaps > band).mean()), float((gaps < -band).mean())
    return Chances(above, 1 - above - below, below), float(gaps.std())


_NUMBER = r"([+−]?\d+\.\d+)"


def contradictions(row: Mapping[str, Any], text: str) -> list[str]:
    """What the sentence says against its row, or against itself; as printed."""
    checks = {
        "verdict": _says_verdict(row, text),
        "size and interval": _size_in_interval(row, text),
        "evidence": _evidence_fits(row, text),
        "chances": _chances_fit(row, text),
        "power": _power_fits(row, text),
    }
    return [name for name, holds in checks.items() if not holds]


def _says_verdict(row: Mapping[str, Any], text: str) -> bool:
    said = {
        "better": r"^a (beats|is slightly better than) b",
        "worse": r"^a is (slightly )?worse than b",
        "equivalent": r"^a and b\d are equivalent",
        "inconclusive": r"^Inconclusive: a is (ahead of|behind|level with) b",
    }
    return [v for v, pattern in said.items() if re.search(pattern, text)] == [
        row["verdict"]
    ]


def _printed(text: str) -> tuple[float, float, float] | None:
    """Size, and both ends of the interval."""
    size = re.search(
        rf"(?:^a [^(]*\bby|: a is [^(]*\bby|: a difference of) {_NUMBER}", text
    )
    ends = re.search(rf"interval {_NUMBER} to {_NUMBER}", text)
    if ends is None:
        return None
    return _float(size[1]) if size else 0.0, _float(ends[1]), _float(ends[2])


def _float(text: str) -> float:
    return float(text.replace("−", "-"))


def _size_in_interval(row: Mapping[str, Any], text: str) -> bool:
    found = _printed(text)
    if found is None:
        return not isfinite(row["ci_low"])
    size, low, high = found
    most = 100.0 if in_points(row["metric"]) else np.inf
    visible = size > 0 or row["estimate"] == 0
    return visible and max(map(abs, found)) <= most and low <= size <= high


def _evidence_fits(row: Mapping[str, Any], text: str) -> bool:
    """Verdict, printed interval, printed p and the reasons that are given agree."""
    found = _printed(text)
    if found is None:
        return row["verdict"] == "inconclusive"
    _, low, high = found
    printed = re.search(r"adjusted p (?:= (\d\.\d+)|< 0\.001)", text)
    assert printed, text
    p = float(printed[1] or 0)
    band = row["band"] * (100 if in_points(row["metric"]) else 1)
    excludes = low > 0 or high < 0
    inside = -band <= low and high <= band
    named = "Tango interval" in text or "bootstrap interval" in text
    if named != (row["test"] != "corrected_t"):
        return False
    if row["verdict"] in ("better", "worse"):
        return low > 0 and p <= 0.05 and (not inside or "too small to matter" in text)
    if row["verdict"] == "equivalent":
        return inside and p <= 0.025
    told = "does not survive" in text or "disagree here" in text
    return (
        (not excludes or (p > 0.05 and told) or "disagree here" in text)
        and (p > 0.05 or "disagree here" in text)
        and (not inside or "would be equivalent" in text)
    )


def _chances_fit(row: Mapping[str, Any], text: str) -> bool:
    if not isfinite(row["p_better"]):
        return "P(" not in text and "bootstrap samples" not in text
    if bootstrapped(row["test"], row["class"]):
        stated = re.search(r"Of the bootstrap samples, (.*?)\.(?: |$)", text)
        fits = "P(" not in text and stated is not None
    else:
        fits = "P(better by" in text and "bootstrap" not in text
    within = row["p_equivalent"]
    other = row["p_worse"] if row["verdict"] == "better" else row["p_better"]
    if row["verdict"] in ("better", "worse"):
        return fits and other < 0.1 and (within <= 0.5 or "too small to matter" in text)
    return fits and (row["verdict"] != "equivalent" or within > 0.5)


def _power_fits(row: Mapping[str, Any], text: str) -> bool:
    found = re.search(rf"true difference of {_NUMBER}", text)
    if found is None:
        return "is found 8 times" not in text
    flips = "sign_flip" in row["test"] and least_p_of_flips(row["n"]) > 0.05
    possible = not in_points(row["metric"]) or _float(found[1]) <= 100
    return possible and not flips and "before adjustment" in text
