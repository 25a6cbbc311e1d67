"""What a printed table allows: by hand, by brute force, and the worked example."""

from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from bakeoff.audit import audit, counts_behind, paired_bounds, unpaired_p
from bakeoff.audit.models import least_macro_f1
from bakeoff.errors import BakeoffError
from bakeoff.stats.proportions import mcnemar_midp
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from support.published import made_table, outside_bounds

EXAMPLE = Path(__file__).parents[2] / "docs/examples/activities-published.csv"


def written(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_text("class,support,recall\n" + text)
    return path


@given(st.integers(1, 300), st.integers(0, 300), st.integers(1, 4))
def test_every_count_is_found_behind_its_own_print(n: int, k: int, digits: int):
    k = min(k, n)
    low, high = counts_behind(Fraction(f"{k / n:.{digits}f}"), n, digits)
    assert low <= k <= high


def test_impossible_share():
    """Of 3 images only 0, .333, .667 and 1 can be right."""
    low, high = counts_behind(Fraction("0.5"), 3, 3)
    assert low > high
    assert counts_behind(Fraction("0.667"), 3, 3) == (2, 2)
    assert counts_behind(Fraction("0.5"), 100, 1) == (45, 55)


@pytest.mark.parametrize(
    ("right_a", "right_b"),
    [([4, 2], [3, 3]), ([4, 3], [2, 2]), ([1, 0], [2, 4]), ([5, 1], [5, 1])],
)
def test_paired_bounds_by_brute_force(right_a: list[int], right_b: list[int]):
    n = [5, 4]
    p = []
    for both in product(range(6), repeat=2):
        b = [x - t for x, t in zip(right_a, both, strict=True)]
        c = [y - t for y, t in zip(right_b, both, strict=True)]
        neither = [m - t - i - j for m, t, i, j in zip(n, both, b, c, strict=True)]
        if min(*b, *c, *neither) >= 0:
            p.append(mcnemar_midp(sum(b), sum(c)))
    ends = ([(x, x) for x in right] for right in (right_a, right_b))
    bounds = paired_bounds(*ends, n)
    assert bounds == pytest.approx((min(p), max(p)))


def test_unpaired_by_hand():
    """Z = (0.6 - 0.4) / sqrt(2 * 0.25 / 50) = 2."""
    assert unpaired_p(30, 20, 50) == pytest.approx(0.0455003, abs=5e-8)
    assert unpaired_p(50, 50, 50) == 1
    table = [[31, 95], [17, 109]]
    scipy = stats.chi2_contingency(table, correction=False).pvalue
    assert unpaired_p(31, 17, 126) == pytest.approx(scipy)


def test_the_published_activities():
    report = audit(EXAMPLE)
    first, second = report.models
    assert first.accuracy == (Fraction(1575, 1890),) * 2
    assert second.accuracy == (Fraction(1534, 1890),) * 2
    assert all(c.low == c.high for m in report.models for c in m.counts)
    for model in report.models:
        assert model.accuracy == model.macro_recall
        assert model.contradictions[-1].endswith("equal supports make them equal")
    (pair,) = report.pairs
    assert pair.overall.right_a == (1575, 1575)
    assert pair.overall.right_b == (1534, 1534)
    assert pair.overall.paired[0] < 0.001 < 0.05 < pair.overall.paired[1]


def test_the_published_precision_and_f1_that_no_predictions_give():
    """.830 of the first model, .804 and .804 of the second lie below their bounds."""
    first, second = audit(EXAMPLE).models
    assert [c[:22] for c in first.contradictions if "f1" in c or "precision" in c] == [
        "stated macro_f1 0.830,"
    ]
    assert [c[:22] for c in second.contradictions if "f1" in c or "precision" in c] == [
        "stated macro_precision",
        "stated macro_f1 0.804,",
    ]
    counts = [108] * 5 + [114] * 2 + [103] * 4 + [104, 102, 92, 99, 106]
    counts.remove(108)  # calling, clapping, sleeping, texting
    assert sum(counts) == 1575
    by_hand = sum(k**0.5 for k in counts) ** 2 / (15 * 1890)
    assert float(first.least_f1) == pytest.approx(by_hand, abs=1e-9)


def test_the_text_of_the_report():
    text = audit(EXAMPLE).text()
    assert "stated accuracy 0.827, but the classes imply 0.8333" in text
    assert "equal supports make them equal" in text
    assert "only the predictions themselves can tell" in text
    assert (
        "  classes that survive Holm at 5 %: unpaired using laptop; paired perhaps "
        "using laptop\n"
    ) in text


def test_least_precision_and_f1_over_all_confusion_matrices():
    """Of 3 classes and 6 images: no matrix is below the bound, and one is close."""
    found = []
    for errors in product(range(3), repeat=6):
        labels = np.repeat([0, 1, 2], [1, 2, 3])
        matrix = np.zeros((3, 3))
        np.add.at(matrix, (labels, errors), 1)
        right, given_to = matrix.diagonal(), matrix.sum(axis=0)
        least = float(least_macro_f1(right.astype(int).tolist(), 6))
        precision = right / np.maximum(given_to, 1)
        f1 = 2 * right / (given_to + np.array([1, 2, 3]))
        assert min(precision.mean(), f1.mean()) >= least - 1e-12
        found.append(precision.mean() - least)
    assert min(found) < 1e-9


def test_every_number_has_its_own_digits(tmp_path: Path):
    """Recalls of two digits allow .8803 to .8897 of these images; .8839 lies there."""
    path = written(tmp_path, "cat,2500,.86\ndog,2500,.91\naccuracy,,.8839\n")
    assert audit(path).contradictions == []
    path = written(tmp_path, "cat,2500,.86\ndog,2500,.91\naccuracy,,.8909\n")
    assert len(audit(path).contradictions) == 1


def two_models(folder: Path, *rows: str) -> Path:
    path = folder / "table.csv"
    path.write_text("\n".join(["model,class,support,recall", *rows, ""]))
    return path


def test_counts_behind_two_digits_settle_nothing(tmp_path: Path):
    """8,951 and 8,949 of 10,000 are printed as .90 and .89."""
    path = two_models(tmp_path, "a,cat,10000,.90", "b,cat,10000,.89")
    (pair,) = audit(path).pairs
    assert pair.overall.right_a == (8950, 9050)
    assert pair.overall.right_b == (8850, 8950)
    assert pair.overall.paired[1] == pair.overall.unpaired[1] == 1
    assert "only the predictions themselves can tell" in audit(path).text()
    assert "right: +0.0 to +2.0 points" in audit(path).text()


def test_classes_that_survive_for_certain_and_perhaps(tmp_path: Path):
    rows = ["cat,200,.900", "dog,200,.800", "cow,200,.500"]
    other = ["cat,200,.300", "dog,200,.740", "cow,200,.500"]
    path = two_models(tmp_path, *(f"a,{r}" for r in rows), *(f"b,{r}" for r in other))
    line = (
        "classes that survive Holm at 5 %: unpaired cat; paired cat and perhaps dog\n"
    )
    assert line in audit(path).text()


def test_pairs_that_are_left_out_are_named(tmp_path: Path):
    rows = ["a,cat,4,.75", "a,dog,8,.5", "b,cat,4,.75", "b,dog,9,.667", "c,cat,4,.5"]
    report = audit(two_models(tmp_path, *rows))
    assert report.pairs == ()
    assert report.left_out == (
        "a against b: left out, as dog: 8 and 9 images",
        "a against c: left out, as dog: 8 and no images",
        "b against c: left out, as dog: 9 and no images",
    )
    assert all(line in report.text() for line in report.left_out)


def test_bounds_over_counts_by_brute_force():
    """Every count behind the prints and every joint table of 2 classes."""
    ends_a, ends_b, n = [(3, 5), (2, 3)], [(0, 1), (1, 2)], [5, 4]
    p = []
    for right in product(*(range(low, high + 1) for low, high in ends_a + ends_b)):
        points = [(k, k) for k in right]
        p += paired_bounds(points[:2], points[2:], n)
    assert paired_bounds(ends_a, ends_b, n) == pytest.approx((min(p), max(p)))
    assert paired_bounds(ends_b, ends_a, n) == pytest.approx((min(p), max(p)))


def test_a_consistent_table_is_left_in_peace(tmp_path: Path):
    path = written(
        tmp_path, "cat,4,.75\ndog,8,.5\naccuracy,,.583\nmacro_recall,,.625\n"
    )
    report = audit(path)
    assert report.contradictions == []
    assert report.pairs == ()
    assert report.models[0].accuracy == (Fraction(7, 12),) * 2


def test_impossible_recall_and_f1_are_found(tmp_path: Path):
    report = audit(written(tmp_path, "cat,3,.50\ndog,4,.25\nmacro_f1,,.90\n"))
    impossible, f1 = report.contradictions
    assert "0.50 of cat is no count of 3" in impossible
    assert "macro_f1 0.90" in f1


def test_tables_made_from_predictions_are_not_accused(tmp_path: Path):
    """And no test of the predictions lies outside the audit's bounds.

    `benchmarks/audit_tables.py` does the same for 20,000 tables.
    """
    for number in range(100):
        made = made_table(np.random.default_rng([0, number]))
        path = tmp_path / "table.csv"
        path.write_text(made.text)
        report = audit(path)
        assert report.contradictions == [], made.text
        assert outside_bounds(report.pairs[0], made)[0] == []


def test_every_bad_row_is_named(tmp_path: Path):
    path = written(tmp_path, "cat,0,.5\ndog,4,85.7\ncow,,.5\ncat,3,1e-1\n")
    with pytest.raises(BakeoffError) as error:
        audit(path)
    for part in ("'0' is no positive", "'85.7'", "'cow' has no support", "'cat' twice"):
        assert part in str(error.value)


@pytest.mark.parametrize("text", ["", "class,recall\ncat,.5\n"])
def test_no_table_at_all(tmp_path: Path, text: str):
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(BakeoffError, match="support"):
        audit(path)
    with pytest.raises(BakeoffError, match="columns class"):
        audit(tmp_path / "none.csv")
