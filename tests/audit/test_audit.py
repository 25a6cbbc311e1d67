"""What a printed table allows: by hand, by brute force, and the worked example."""

from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from bakeoff.audit import audit, counts_behind, paired_bounds, unpaired_p
from bakeoff.errors import BakeoffError
from bakeoff.stats.proportions import mcnemar_midp
from hypothesis import given
from hypothesis import strategies as st

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


def test_paired_bounds_by_brute_force():
    right_a, right_b, n = [4, 2], [3, 3], [5, 4]
    p = []
    for both in product(range(6), repeat=2):
        b = [x - t for x, t in zip(right_a, both, strict=True)]
        c = [y - t for y, t in zip(right_b, both, strict=True)]
        neither = [m - t - i - j for m, t, i, j in zip(n, both, b, c, strict=True)]
        if min(*b, *c, *neither) >= 0:
            p.append(mcnemar_midp(sum(b), sum(c)))
    assert paired_bounds(right_a, right_b, n) == (min(p), max(p))


def test_unpaired_by_hand():
    """Z = (0.6 - 0.4) / sqrt(2 * 0.25 / 50) = 2."""
    assert unpaired_p(30, 20, 50) == pytest.approx(0.0455003, abs=5e-8)
    assert unpaired_p(50, 50, 50) == 1


def test_the_published_activities():
    report = audit(EXAMPLE)
    first, second = report.models
    assert first.accuracy == (Fraction(1575, 1890),) * 2
    assert second.accuracy == (Fraction(1534, 1890),) * 2
    assert all(c.low == c.high for m in report.models for c in m.counts)
    for model in report.models:
        assert model.accuracy == model.macro_recall
        assert len(model.contradictions) == 3
    (pair,) = report.pairs
    assert (pair.overall.right_a, pair.overall.right_b) == (1575, 1534)
    assert pair.overall.paired[0] < 0.001 < 0.05 < pair.overall.paired[1]
    smallest = dict(
        zip([c.name for c in pair.classes], pair.holm_unpaired, strict=True)
    )
    assert [c for c, p in smallest.items() if p < 0.05] == ["using laptop"]


def test_the_report_in_words():
    text = audit(EXAMPLE).text()
    assert "stated accuracy 0.827, but the classes imply 0.8333" in text
    assert "equal supports make them equal" in text
    assert "only the predictions themselves can tell" in text


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


def test_numbers_of_tables_made_from_counts_never_contradict(tmp_path: Path):
    rng = np.random.default_rng(0)
    for _ in range(50):
        n = rng.integers(1, 200, 6)
        k = rng.binomial(n, 0.7)
        lines = [
            f"c{i},{m},{x / m:.3f}" for i, (m, x) in enumerate(zip(n, k, strict=True))
        ]
        lines += [f"accuracy,,{k.sum() / n.sum():.3f}"]
        lines += [f"macro_recall,,{(k / n).mean():.3f}"]
        assert audit(written(tmp_path, "\n".join(lines) + "\n")).contradictions == []


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
