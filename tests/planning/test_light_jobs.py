"""What scripts load as they start: each package only where it is used.

Of a job of two seconds, torch would be three more, scikit-learn one and a half.
"""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"
ALL = {path.stem for path in SCRIPTS.glob("*.py")}
FIGURES = {name for name in ALL if name.startswith("figure_")}
# The only ones that are about torch from their first line to their last.
WITH_TORCH = {"costs", "finetune", "demo_encoders"}
# Drawing needs matplotlib; these need statistics as well.
WITH_STATISTICS = {"compare", "ranks", "figure_ages", "prompt_lab", "summary"}
LEARNING = ("torch", "torchvision", "transformers", "open_clip", "timm")


def loaded(scripts: set[str], packages: tuple[str, ...]) -> set[str]:
    """Those of `packages` that importing all of `scripts` in a fresh Python brings in."""
    code = f"import sys, {', '.join(sorted(scripts))}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=SCRIPTS,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return set(packages) & set(done.stdout.split())


def test_nothing_loads_torch_that_does_not_compute_with_it() -> None:
    assert loaded(ALL - WITH_TORCH, LEARNING) == set()


def test_the_three_others_do() -> None:
    assert "torch" in loaded({"costs"}, LEARNING)


@pytest.mark.parametrize("package", ["sklearn", "statsmodels", "scipy.stats"])
def test_statistics_are_loaded_where_they_are_used(package: str) -> None:
    assert loaded(ALL - WITH_TORCH - WITH_STATISTICS, (package,)) == set()


def test_only_what_draws_loads_matplotlib() -> None:
    assert loaded(ALL - FIGURES - WITH_TORCH - {"summary"}, ("matplotlib",)) == set()


def test_what_only_moves_tables_is_light() -> None:
    movers = {"manifest", "folds", "metrics", "zeroshot", "retrieval", "provenance"}
    heavy = (*LEARNING, "sklearn", "matplotlib", "pandas", "scipy.stats")
    assert loaded(movers, heavy) == set()
