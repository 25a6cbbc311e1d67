"""The numbers of a study once more, from its predictions alone and without bakeoff.

    python docs/examples/rederive.py results/activities

Only pandas, scipy and scikit-learn: every encoder's metrics from its predictions, then
the verdict's tests over folds (the t-test of Nadeau and Bengio, 2003) and on a fixed
test set (McNemar's mid-p), and Holm's correction. Ends with status 1 where any number
of metrics.parquet or comparisons.parquet differs by more than rounding.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from scipy.stats import binom, t
from sklearn import metrics

ROUNDING = 1e-9


def values(rows: pd.DataFrame, numbers: dict[str, float] | None) -> dict[str, float]:
    """The metrics of some predictions, as scikit-learn computes them."""
    true, predicted = rows["y_true"], rows["y_pred"]
    labels = sorted(true.unique())
    given = {"labels": labels, "average": "macro", "zero_division": 0}
    found = {
        "accuracy": metrics.accuracy_score(true, predicted),
        "macro_recall": metrics.recall_score(true, predicted, **given),
        "macro_precision": metrics.precision_score(true, predicted, **given),
        "macro_f1": metrics.f1_score(true, predicted, **given),
    }
    if numbers:
        a, b = true.map(numbers), predicted.map(numbers)
        raw = rows["y_raw"].fillna(b)
        found["within_1"] = float(((a - b).abs() <= 1).mean())
        found["rmse"] = metrics.root_mean_squared_error(a, raw)
        found["mae"] = metrics.mean_absolute_error(a, b)
    return found


def corrected_t(d: pd.Series, ratio: float, grouped: bool) -> tuple[float, float]:
    """Mean difference and p over runs: variance times 1/runs + n_test / n_train.

    d: by (repeat, fold). Repeated folds of single images add the variance between the
    means of repeats; of images in groups, the folds of one repeat count as the runs.
    """
    means = d.groupby(level=0).mean()
    repeated = 1 < len(means) < len(d)
    count = len(d) // len(means) if repeated and grouped else len(d)
    error = np.sqrt(
        (1 / count + ratio) * d.var()
        + (means.var() if repeated and not grouped else 0.0)
    )
    p = 2 * t.sf(abs(d.mean()) / error, count - 1) if error else np.nan
    return d.mean(), p


def mcnemar_midp(only_a: int, only_b: int) -> float:
    """The exact p less the chance of the table seen (Fagerland and others, 2013).

    Of equal counts the exact p is 1, and half that chance is taken off.
    """
    n, low = only_a + only_b, min(only_a, only_b)
    if n == 0:
        return 1.0
    seen = float(binom.pmf(low, n, 0.5))
    if only_a == only_b:
        return 1 - seen / 2
    return 2 * float(binom.cdf(low - 1, n, 0.5)) + seen


def holm(p: np.ndarray) -> np.ndarray:
    """Adjusted p: the k-th smallest of m times m - k + 1, never falling.

    NaN, which is no test, comes last and does not count.
    """
    order = np.argsort(p)
    m = np.isfinite(p).sum()
    steps = np.maximum.accumulate(p[order] * np.arange(m, m - len(p), -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(steps, 1)
    return adjusted


class Check:
    """Counts numbers that agree and prints those that do not."""

    def __init__(self) -> None:
        self.right, self.wrong = 0, 0

    def equal(self, what: str, ours: float, theirs: float) -> None:
        """Compare one number with its second derivation."""
        both_nan = np.isnan(ours) and np.isnan(theirs)
        if both_nan or abs(ours - theirs) <= ROUNDING * max(1, abs(theirs)):
            self.right += 1
        else:
            self.wrong += 1
            print(f"{what}: {ours} in the tables, {theirs} from the predictions")


def main(study: Path) -> int:
    """Derive, compare, and say how many numbers agree."""
    check = Check()
    paths = sorted(study.glob("predictions/*/*/*.parquet"))
    predictions = {(*p.parts[-3:-1], p.stem): read(p) for p in paths}
    for (protocol, method, encoder), (rows, numbers) in predictions.items():
        stated = pd.read_parquet(study / f"metrics/{encoder}.parquet")
        stated = stated[(stated["protocol"] == protocol) & (stated["method"] == method)]
        stated = stated[stated["class"] == ""].set_index(["repeat", "fold", "metric"])
        for run, part in [*rows.groupby(["repeat", "fold"]), *repeats(rows)]:
            for name, value in values(part, numbers).items():
                if (*run, name) in stated.index:
                    where = f"{protocol} {method} {encoder} {run} {name}"
                    check.equal(where, stated.loc[(*run, name), "value"], value)
    compare(study, {key: rows for key, (rows, _) in predictions.items()}, check)
    print(f"{check.right} numbers agree, {check.wrong} do not")
    return int(check.wrong > 0 or check.right == 0)


def compare(study: Path, predictions: dict, check: Check) -> None:
    """The accuracy rows of comparisons.parquet on which verdicts rest."""
    table = pd.read_parquet(study / "comparisons.parquet")
    table = table[(table["class"] == "") & (table["metric"] == "accuracy")]
    for (method, protocol, test), family in table.groupby(
        ["method", "protocol", "test"], observed=True
    ):
        if test not in ("corrected_t", "mcnemar_midp"):
            continue
        for row in family.itertuples():
            a, b = (right(predictions[protocol, method, e]) for e in (row.a, row.b))
            where = f"{protocol} {method} {row.a} {row.b}"
            if test == "corrected_t":
                estimate, p = corrected_t(*over_runs(study, protocol, a, b))
            else:
                a, b = a.droplevel([0, 1]), b.droplevel([0, 1])
                estimate = a.mean() - b.mean()
                p = mcnemar_midp(int((a > b).sum()), int((b > a).sum()))
            check.equal(f"{where} difference", row.estimate, estimate)
            check.equal(f"{where} p", row.p, p)
        if family["primary"].all():
            again = holm(family["p"].to_numpy())
            for ours, theirs in zip(family["p_adjusted"], again, strict=True):
                check.equal(f"{protocol} {method} adjusted p", ours, theirs)


def read(path: Path) -> tuple[pd.DataFrame, dict[str, float] | None]:
    """A table of predictions, and the number of each class if they have one."""
    note = json.loads(pq.read_schema(path).metadata[b"bakeoff"])["provenance"]
    rows = pd.read_parquet(path, columns=None)
    rows[["y_true", "y_pred"]] = rows[["y_true", "y_pred"]].astype(str)
    if note["labels"] != "ordinal":
        return rows, None
    return rows, dict(zip(note["classes"], note["values"], strict=True))


def repeats(rows: pd.DataFrame) -> list[tuple[tuple[int, int], pd.DataFrame]]:
    """Each repeat as a whole; its fold is called -1."""
    return [((int(r), -1), part) for r, part in rows.groupby("repeat")]


def right(rows: pd.DataFrame) -> pd.Series:
    """1 where a prediction is right, 0 where not, by (repeat, fold, image)."""
    marks = (rows["y_true"] == rows["y_pred"]).astype(float)
    marks.index = pd.MultiIndex.from_frame(rows[["repeat", "fold", "image_id"]])
    return marks.sort_index()


def over_runs(
    study: Path, protocol: str, a: pd.Series, b: pd.Series
) -> tuple[pd.Series, float, bool]:
    """Differences of accuracy by run, mean of test by training images, if in groups."""
    d = a.groupby(level=[0, 1]).mean() - b.groupby(level=[0, 1]).mean()
    folds = pd.read_parquet(study / f"folds/{protocol}.parquet")
    ratios = []
    for repeat, fold in d.index:
        own = folds.loc[folds["repeat"] == repeat, "fold"]
        ratios.append((own == fold).sum() / ((own != fold) & (own != -2)).sum())
    group = pd.read_parquet(study / "manifest.parquet")["group"].dropna()
    return d, float(np.mean(ratios)), bool(group.duplicated().any())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
