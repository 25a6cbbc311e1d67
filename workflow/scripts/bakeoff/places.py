"""Where each table lies below results/, and whose table lies there.

The path of a table says what it must be: `results/s/predictions/cv/ridge/a.parquet` are
the predictions of study s, protocol cv, method ridge and encoder a. A table says the
same of itself, in its columns or its metadata. `tables` compares the two whenever a
table is read, so that exchanged files stop the job that reads them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PLACES = {
    "{study}/manifest.parquet": "manifest",
    "{study}/quarantine.parquet": "quarantine",
    "{study}/folds/{protocol}.parquet": "folds",
    "{study}/embeddings/{encoder}.parquet": "embeddings",
    "{study}/texts/{encoder}.parquet": "texts",
    "{study}/training/{encoder}.parquet": "training",
    "{study}/predictions/{protocol}/{method}/{encoder}.parquet": "predictions",
    "{study}/prompt_lab/{protocol}/{encoder}/predictions.parquet": "predictions",
    "{study}/metrics/{encoder}.parquet": "metrics",
    "{study}/sensitivity/{encoder}.parquet": "sensitivity",
    "{study}/baseline.parquet": "metrics",
    "{study}/retrieval.parquet": "metrics",
    "{study}/comparisons.parquet": "comparisons",
    "{study}/variance.parquet": "variance",
    "{study}/seeds.parquet": "seeds",
    "{study}/costs.parquet": "costs",
    "across/{protocol}/{method}/{metric}/ranks.parquet": "ranks",
    "across/{protocol}/{method}/{metric}/comparisons.parquet": "comparisons",
    "store/{shelf}/shards/{shard}.parquet": "embeddings",
}


@dataclass(frozen=True)
class Place:
    """The kind of table that a path is for, and its study, encoder and so on by name."""

    kind: str
    names: Mapping[str, str]


def place_of(path: str | Path, results: Path | None = None) -> Place | None:
    """What the table at `path` must be; None where the path is no table's place.

    `results` is the folder below which places are counted; without it, any folder
    called results.
    """
    within = Path("results") / Path(path).relative_to(results) if results else path
    for pattern, kind in _PATTERNS.items():
        match = pattern.fullmatch if results else pattern.search
        if found := match(Path(within).as_posix()):
            return Place(kind, found.groupdict())
    return None


def _pattern(place: str) -> re.Pattern[str]:
    names = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(place))
    return re.compile(rf"(?:^|/)results/{names}$")


# In the order of PLACES: what lies in store/ and across/ is no study's.
_PATTERNS = {_pattern(place): kind for place, kind in PLACES.items()}
