"""The numbers of a study once more, from its predictions alone and without bakeoff.

    python docs/examples/rederive.py results/activities

Only pandas, scipy and scikit-learn: every encoder's metrics from its predictions, then
the verdict's tests over folds (a t test with the variance of the images) and on a fixed
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


def corrected_t(d: pd.DataFrame, reuse: float, group: pd.Series) -> tuple[float, float]:
    """Mean difference and p over repeated folds, from the variance of the images.

    d: differences, a row per repeat, a column per image; reuse: images / training images
    of a run; group: of each image, its own name where it has none. a is the variance of a
    repeat's mean over groups, v the variance between repeats: the squared error is
    a (1 / repeats + reuse) + v, groups multiplying v as they multiply a.
    """
    a, alone = (
        variance(d, names) for names in (group, pd.Series(d.columns, d.columns))
    )
    v = d.mean(axis=1).var() if len(d) > 1 else 0.0
    error = np.sqrt(
        a * (1 / len(d) + reuse) + v * max(1.0, a / alone if alone else 1.0)
    )
    mean, df = d.to_numpy().mean(), group.nunique() - 1
    return mean, 2 * t.sf(abs(mean) / error, df) if error else np.nan


def variance(d: pd.DataFrame, group: pd.Series) -> float:
    """Of a row's mean if groups were independent; mean over the rows."""
    deviation = d.sub(d.mean(axis=1), axis=0)
    sums = deviation.T.groupby(group.reindex(d.columns).to_numpy()).sum()
    g = len(sums)
    return float((g / (g - 1) * (sums**2).sum() / d.shape[1] ** 2).mean())


def mcnemar_midp(only_a: int, only_b: int) -> float:
    """Twice the binomial tail, the observed count taken half."""
    n, low = only_a + only_b, min(only_a, only_b)
    if n == 0:
        return 1.0
    if only_a == only_b:
        return 1.0 - binom.pmf(low, n, 0.5) / 2
    return float(2 * binom.cdf(low, n, 0.5) - binom.pmf(low, n, 0.5))


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
                given = over_folds(study, protocol, a, b)
                if given is None:
                    continue
                estimate, p = corrected_t(*given)
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


def over_folds(
    study: Path, protocol: str, a: pd.Series, b: pd.Series
) -> tuple[pd.DataFrame, float, pd.Series] | None:
    """What `corrected_t` needs; None where the runs are no repeated folds."""
    d = (a - b).groupby(level=[0, 2]).sum().unstack()
    runs = a.groupby(level=[0, 1]).size().groupby(level=0).size()
    if (runs < 2).any() or d.isna().any(axis=None):
        return None
    folds = pd.read_parquet(study / f"folds/{protocol}.parquet")
    reuse = []
    for repeat, fold in a.index.droplevel(2).unique():
        own = folds.loc[folds["repeat"] == repeat, "fold"]
        reuse.append(len(own) / ((own != fold) & (own != -2)).sum())
    manifest = pd.read_parquet(study / "manifest.parquet").set_index("image_id")
    names = manifest["group"].reindex(d.columns)
    return d, float(np.mean(reuse)), names.fillna(pd.Series(d.columns, d.columns))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
