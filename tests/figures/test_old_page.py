"""A page that is made again is old until the new one is there."""

from datetime import datetime

import pytest
from bakeoff.old_page import old_of, set_aside

BEGUN = datetime(2026, 1, 2, 3, 4)


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "summary.html"
    path.write_text("<html>\n<body>\n<h1>Verdict</h1>\n</body>\n</html>\n")
    return path


def test_the_old_page_keeps_what_it_says_and_is_marked(page) -> None:
    set_aside([page], BEGUN)
    assert not page.exists()
    text = old_of(page).read_text()
    assert text.index("This page is old.") < text.index("<h1>Verdict</h1>")
    assert "2026-01-02 at 03:04" in text
    assert [path.name for path in page.parent.iterdir()] == ["summary-old.html"]


def test_a_second_failed_run_keeps_the_older_page(page) -> None:
    set_aside([page], BEGUN)
    first = old_of(page).read_text()
    set_aside([page], datetime(2026, 2, 2))
    assert old_of(page).read_text() == first
