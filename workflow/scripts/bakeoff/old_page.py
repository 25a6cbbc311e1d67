"""A page that is being made again is set aside, marked as old, until the new one is there.

So a run that fails or is killed leaves no page that looks current, and a current page is
never marked: the mark is in another file, which goes when the page comes.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from bakeoff.files import atomic_path

_MARK = """<body>
<p role="alert" style="margin:0;padding:1em;background:#b00020;color:#fff">
<b>This page is old.</b> A run that began on {begun} was to make it again, because something
that it rests on had changed. When that run has ended well, {page} is here and this page is
gone. If it failed, run again.</p>"""


def old_of(page: Path) -> Path:
    """Where a page lies while it is old: `summary-old.html` beside `summary.html`."""
    return page.with_name(f"{page.stem}-old{page.suffix}")


def set_aside(pages: Iterable[Path], begun: datetime) -> None:
    """Rename those of the pages that exist, and mark them; `begun`: when the run began."""
    for page in pages:
        if page.exists():
            old = page.replace(old_of(page))
            mark = _MARK.format(begun=f"{begun:%Y-%m-%d at %H:%M}", page=page.name)
            text = old.read_text(encoding="utf-8").replace("<body>", mark, 1)
            with atomic_path(old) as temporary:
                temporary.write_text(text, encoding="utf-8", newline="\n")
