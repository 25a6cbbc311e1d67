"""The summary page of 10,000 images and 5 encoders: size, and time to interactive.

    python benchmarks/page.py [--images 10000] [--encoders 5]

Pictures are noise upon gradients, which compress worse than photographs. Interactive
means that the gallery and the tables have been set up and a filter has answered; the
time is the browser's own, from the start of navigation, median of five cold starts.
Needs Chromium.
"""

import argparse
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from bakeoff.gallery import Gallery, thumbnail
from bakeoff.sheets import Cell, Column, Sheet
from bakeoff.summary import Page, Section, write_summary
from bakeoff.verdict import Answer
from PIL import Image

CLASSES = 15
STARTS = 5
BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)

# Put into the page after its own script: works the gallery as a reader would.
PROBE = """<script>
const pick = document.getElementById("pick-outcome");
pick.value = "right";
pick.dispatchEvent(new Event("change", { bubbles: true }));
requestAnimationFrame(() => setTimeout(() => {
  document.title = "interactive " + Math.round(performance.now());
}));
</script>"""


def picture(rng: np.random.Generator) -> Image.Image:
    """96 x 72 pixels: a gradient, blobs of colour and some noise."""
    coarse = rng.integers(0, 255, (6, 8, 3)).astype(np.uint8)
    smooth = Image.fromarray(coarse).resize((96, 72), Image.Resampling.BICUBIC)
    noisy = np.asarray(smooth, np.int16) + rng.integers(-12, 13, (72, 96, 3))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def gallery(images: int, encoders: list[str]) -> Gallery:
    """Every encoder is right about 4 times of 5."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, CLASSES, images)
    other = rng.integers(0, CLASSES, (images, len(encoders)))
    right = rng.random((images, len(encoders))) < 0.8
    called = np.where(right, truth[:, None], other)
    return Gallery(
        [f"class {k}" for k in range(CLASSES)],
        encoders,
        [f"images/class {k}/{i:05d}.jpg" for i, k in enumerate(truth)],
        truth.tolist(),
        called.tolist(),
        rng.integers(20, 100, called.shape).tolist(),
        [thumbnail(picture(rng), 72) for _ in range(images)],
    )


def results(encoders: list[str]) -> Sheet:
    """A row per encoder, method and class: as many as a study of this size has."""
    columns = (Column("Encoder", ("encoder",), number=False), Column("Recall", ("r",)))
    values = np.random.default_rng(1).random(len(encoders) * CLASSES * 6)
    rows = [
        (Cell(encoders[i % len(encoders)], ("e",)), Cell(f"{v:.3f}", (float(v),)))
        for i, v in enumerate(values)
    ]
    return Sheet("results", "Results", "", columns, rows)


def milliseconds(page: Path, profile: Path) -> int:
    """From the start of navigation to a filter's answer, in a browser just started."""
    done = subprocess.run(
        [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
         "--disable-background-networking", f"--user-data-dir={profile}",
         "--timeout=20000", page.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return int(re.search(r"<title>interactive (\d+)</title>", done.stdout)[1])


def main(images: int, count: int) -> None:
    """Write, weigh and open the page."""
    encoders = [f"encoder-{e}" for e in range(count)]
    page = Page(
        "study",
        "A page of many images",
        [Answer("ridge on test", "Use encoder-0.")],
        sections=[Section("results", "Results", sheets=[results(encoders)])],
        gallery=gallery(images, encoders),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "summary.html"
        start = time.perf_counter()
        write_summary(path, page)
        seconds, size = time.perf_counter() - start, path.stat().st_size / 1e6
        print(f"{images:,} images x {count} encoders: {seconds:.1f} s, {size:.1f} MB")
        # The page's policy lets no script run but its own: a copy without it is timed.
        text = re.sub(r"<meta http-equiv=.*?>", "", path.read_text("utf-8"), count=1)
        path.write_text(text.replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
        taken = [milliseconds(path, Path(folder) / str(i)) for i in range(STARTS)]
        print(f"interactive after {np.median(taken):.0f} ms (median of {STARTS})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--encoders", type=int, default=5)
    given = parser.parse_args()
    main(given.images, given.encoders)
