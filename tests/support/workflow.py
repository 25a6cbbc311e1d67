"""A working directory with a study of a few images, run by the real snakemake."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

CODE = ("Snakefile", "Makefile", "rules", "workflow", "profiles", "envs")


def picture(seed: int, label: str) -> Image.Image:
    """32 x 32 noise with a tint per class: easy for any encoder, never twice the same."""
    rng = np.random.default_rng([seed, *label.encode()])
    tint = np.random.default_rng(list(label.encode())).integers(0, 160, 3)
    pixels = rng.integers(0, 96, (32, 32, 3)) + tint
    return Image.fromarray(pixels.astype(np.uint8))


def write_images(folder: Path, per_class: dict[str, int], seed: int = 0) -> None:
    for label, count in per_class.items():
        (folder / label).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            picture(seed + i, label).save(folder / label / f"{i}.png")


def small_config() -> dict:
    """Two encoders, two probes, two protocols, zero-shot: every rule of the workflow."""
    return {
        "encoders": ["tiny-clip", "tiny-random"],
        "control": "tiny-random",
        "probes": {"ridge": {"kind": "ridge"}, "svc": {"kind": "svc"}},
        "protocols": {
            "cv": {"kind": "kfold", "folds": 2, "repeats": 2},
            "test": {"kind": "split"},
        },
        "statistics": {"replicates": 999, "equivalence": {"accuracy": 0.01}},
        "studies": {
            "colours": {
                "title": "Colours",
                "images": "images",
                "labels": "nominal",
                "protocols": ["cv", "test"],
                "prompts": "prompts.yaml",
            }
        },
    }


def least_config() -> dict:
    """One encoder, one probe, one protocol: five jobs from images to metrics."""
    config = small_config()
    config["encoders"] = ["tiny-random"]
    config["probes"] = {"ridge": {"kind": "ridge"}}
    config["protocols"] = {"cv": {"kind": "kfold", "folds": 2, "repeats": 2}}
    config["studies"]["colours"]["protocols"] = ["cv"]
    del config["studies"]["colours"]["prompts"]
    return config


LEAST_TARGET = "results/colours/metrics/tiny-random.parquet"


def lay_out(place: Path, repository: Path, config: dict) -> "Workflow":
    """A working directory in the empty folder `place`: code, images and configuration."""
    for name in CODE:
        source = repository / name
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(source, place / name, ignore=ignore)
        else:
            shutil.copy(source, place / name)
    for rules in (place / "rules").glob("*.smk"):
        # Where a rule has a message, a dry run shows it instead of the job's files.
        text = re.sub(r"    message:\n        .*\n", "", rules.read_text())
        rules.write_text(text)
    (place / "config").mkdir()
    for name in ("schema.yaml", "encoders.yaml", "recipes.yaml"):
        shutil.copy(repository / "config" / name, place / "config" / name)
    (place / "resources").mkdir()
    shutil.copytree(repository / "resources/encoders", place / "resources/encoders")
    write_images(place / "images/train", {"red": 8, "green": 8, "blue": 8})
    write_images(place / "images/test", {"red": 5, "green": 5, "blue": 5}, seed=100)
    (place / "prompts.yaml").write_text(
        json.dumps(
            {
                "templates": ["a drawing of {}", "something {}"],
                "classes": {c: {"names": [c]} for c in ("red", "green", "blue")},
            }
        )
    )
    workflow = Workflow(place)
    workflow.write_config(config)
    return workflow


def copy_repository(repository: Path, place: Path) -> "Workflow":
    """A copy of the repository's tracked files as they are now, in the folder `place`."""
    names = subprocess.run(
        ["git", "ls-files", "-z"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    for name in filter(None, names):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(repository / name, place / name)
    return Workflow(place)


@dataclass
class Workflow:
    """A working directory with its own copy of the code."""

    place: Path
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    # None on a cluster, where it would cap the CPUs of every job.
    cores: int | None = 2

    @property
    def config(self) -> dict:
        return yaml.safe_load((self.place / "config/config.yaml").read_text())

    def write_config(self, config: dict) -> None:
        (self.place / "config/config.yaml").write_text(
            yaml.safe_dump(config, sort_keys=False)
        )

    def snakemake(
        self, *arguments: str, seconds: float = 600
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(*arguments),
            cwd=self.place,
            env=self._variables(),
            capture_output=True,
            text=True,
            timeout=seconds,
        )

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A run in a process group of its own; what it prints goes to run.out.

        It takes SIGINT even where these tests do not, as shells have it of what they
        start in the background.
        """
        with (self.place / "run.out").open("ab") as out:
            return subprocess.Popen(
                self._command(*arguments),
                cwd=self.place,
                env=self._variables(),
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """What `make` does, in the environment that these tests run in."""
        here = (f"BIN={Path(sys.executable).parent}", "--assume-old=.venv/synced")
        return subprocess.run(
            ["make", *here, *arguments],
            cwd=self.place,
            env=self._variables() | {"PYTHONPATH": "workflow/scripts"},
            capture_output=True,
            text=True,
            timeout=300,
        )

    def recover(self) -> str:
        """What `make recover` says, which must end well."""
        done = self.make("recover")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def tables(self) -> dict[str, bytes]:
        """The bytes of every table of the studies, by path, but for those that hold times.

        Hidden files are what killed jobs left of tables that they were writing.
        """
        left_out = {"store", "training", "costs.parquet"}
        return {
            str(path.relative_to(self.place)): path.read_bytes()
            for path in sorted(self.place.glob("results/*/**/[!.]*.parquet"))
            if not left_out & set(path.parts)
        }

    def _command(self, *arguments: str) -> list[str]:
        cores = [] if self.cores is None else ["--cores", str(self.cores)]
        return [sys.executable, "-m", "snakemake", *cores, *arguments]

    def _variables(self) -> dict[str, str]:
        variables = self.environment | {"OMP_NUM_THREADS": "1"}
        variables.pop("PYTHONDONTWRITEBYTECODE", None)
        return variables

    def run(
        self, *arguments: str, seconds: float = 600
    ) -> subprocess.CompletedProcess[str]:
        done = self.snakemake(*arguments, seconds=seconds)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
        return done

    def planned(self, *arguments: str) -> "Jobs":
        """The jobs that would run now."""
        done = self.run("--dry-run", *arguments)
        return Jobs.parse(done.stdout + done.stderr)


@dataclass
class Jobs:
    """Jobs of a dry run by their first output: the rule, inputs and outputs of each."""

    rules: dict[str, str]
    inputs: dict[str, list[str]]
    outputs: dict[str, list[str]]

    @classmethod
    def parse(cls, text: str) -> "Jobs":
        jobs = cls({}, {}, {})
        blocks = re.split(r"^(?:local)?rule ", text, flags=re.MULTILINE)[1:]
        for block in blocks:
            rule = block.split(":", 1)[0].strip()
            outputs = _paths(block, "output")
            if outputs:
                jobs.rules[outputs[0]] = rule
                jobs.inputs[outputs[0]] = _paths(block, "input")
                jobs.outputs[outputs[0]] = outputs
        total = re.search(r"^total +(\d+)$", text, re.MULTILINE)
        assert len(jobs) == int(total[1] if total else 0) - ("rule all:" in text), text
        return jobs

    def __len__(self) -> int:
        return len(self.rules)

    def of(self, *patterns: str) -> set[str]:
        """Jobs whose rule, or one of whose outputs, matches one of the patterns."""
        return {
            job
            for job, rule in self.rules.items()
            for pattern in patterns
            if any(fnmatch(name, pattern) for name in (rule, *self.outputs[job]))
        }

    def with_all_after(self, first: set[str]) -> set[str]:
        """`first` and every job that is made from what they make, however far."""
        stale = set(first)
        while True:
            made = {path for job in stale for path in self.outputs[job]}
            more = {job for job in self.rules if made & self._triggers(job)} - stale
            if not more:
                return stale
            stale |= more

    def _triggers(self, job: str) -> set[str]:
        """The inputs that a job runs again for: costs take any manifest."""
        ancient = {"manifest.parquet"} if self.rules[job] == "costs" else set()
        return {path for path in self.inputs[job] if Path(path).name not in ancient}


def _paths(block: str, field: str) -> list[str]:
    found = re.search(rf"^    {field}: (.*)$", block, re.MULTILINE)
    return found.group(1).split(", ") if found else []
