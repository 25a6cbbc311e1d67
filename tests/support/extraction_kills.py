"""Extractions in processes of their own, ended by SIGKILL at random moments."""

import multiprocessing
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pyarrow as pa
from bakeoff.errors import BakeoffError
from bakeoff.manifest import build_manifest
from bakeoff.tables import read_table
from PIL import Image

from support.moments import wait_for_moment

ENCODER = Path(__file__).parents[2] / "resources/encoders/tiny-clip"


@dataclass
class Kills:
    """What was met: kills, the most and the sum of images encoded twice, whole runs."""

    kills: int = 0
    most_again: int = 0
    sum_again: int = 0
    whole: int = 0


@dataclass(frozen=True)
class Extraction:
    """An extraction of noise, small enough to be killed often.

    plant: called in the process before it extracts, to put a fault into the library.
    """

    images: Path
    manifest: pa.Table
    shard_size: int
    plant: Callable[[], None] = bool  # which does nothing

    @classmethod
    def of(cls, images: Path, n: int, shard_size: int) -> "Extraction":
        """N pictures of 24 x 24 pixels below the new folder `images`, in two classes."""
        rng = np.random.default_rng(0)
        for i in range(n):
            path = images / "ab"[i % 2] / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (24, 24, 3), np.uint8)).save(path)
        columns, _ = build_manifest(images)
        manifest = pa.table({name: columns[name] for name in ("image_id", "path")})
        return cls(images, manifest, shard_size)

    def run(self, place: Path) -> None:
        """Extract into `place`; every batch is told in encoded.txt before it is encoded."""
        from bakeoff.encoders.openclip import OpenClip
        from bakeoff.extract import write_embeddings

        self.plant()
        told = os.open(place / "encoded.txt", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        OpenClip.encode_images = telling(told, OpenClip.encode_images)  # type: ignore[method-assign]
        write_embeddings(
            place / "embeddings.parquet",
            self.manifest,
            self.images,
            ENCODER,
            encoder_id="tiny-clip",
            store=place / "store",
            device="cpu",
            precision="fp32",
            batch_size=8,
            shard_size=self.shard_size,
            progress=False,
        )


def half_then_rest() -> None:
    """A fault for `plant`: shards stand half written under their final name for a moment."""
    from bakeoff import store

    original = store.write_table

    def write(path: Path, *args, **options) -> None:
        original(path, *args, **options)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        time.sleep(0.1)
        path.write_bytes(whole)

    store.write_table = write  # type: ignore[assignment]


def telling(file: int, encode: Callable) -> Callable:
    def told(self, batch):
        os.write(file, f"{len(batch)}\n".encode())
        return encode(self, batch)

    return told


def started(extraction: Extraction, place: Path) -> BaseProcess:
    """A process that extracts; it is forked from one that has loaded the libraries."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bakeoff.encoders.openclip", "bakeoff.extract"])
    process = context.Process(target=extraction.run, args=(place,))
    place.mkdir(parents=True, exist_ok=True)
    process.start()
    return process


def finished(extraction: Extraction, place: Path) -> float:
    """Extract to the end; seconds."""
    start = time.perf_counter()
    process = started(extraction, place)
    process.join()
    assert process.exitcode == 0
    return time.perf_counter() - start


def encoded(place: Path) -> int:
    """Images that were given to the encoder so far, as often as they were."""
    told = place / "encoded.txt"
    return sum(map(int, told.read_text().split())) if told.exists() else 0


def kept(place: Path) -> int:
    """Images whose vectors are in shards; an AssertionError where one is not whole."""
    shards = place.glob("store/*/shards/[!.]*.parquet")
    try:
        return sum(read_table(shard, "embeddings").num_rows for shard in shards)
    except BakeoffError as error:
        raise AssertionError(f"a shard stands half written: {error}") from error


def tables(place: Path) -> dict[str, bytes]:
    """The bytes of the shards and of the embeddings."""
    paths = [place / "embeddings.parquet", *place.glob("store/*/shards/[!.]*")]
    return {str(path.relative_to(place)): path.read_bytes() for path in paths}


def kill_and_compare(
    extraction: Extraction, folder: Path, kills: int, seed: int
) -> Kills:
    """Kill extractions until `kills` have met one; every end must equal the undisturbed.

    They are killed at any moment of an undisturbed one's duration and when a file
    appears. A killed extraction is started again where it was; one that came to its end
    before its kill is compared, and another begins.
    """
    whole, cut, rng = folder / "whole", folder / "cut", np.random.default_rng(seed)
    finished(extraction, folder / "warm")
    seconds, met = finished(extraction, whole), Kills()
    expected = tables(whole)
    while met.kills < kills:
        before = encoded(cut) - kept(cut)
        process = started(extraction, cut)
        if wait_for_moment(cut, seconds, rng, process.is_alive):
            process.kill()
            process.join()
            again = encoded(cut) - kept(cut) - before
            # And the picture that tells the dimension whenever an encoder is loaded.
            most = extraction.shard_size + 1
            assert again <= most, f"{again} encoded again after {met}"
            met.kills += 1
            met.most_again = max(met.most_again, again)
            met.sum_again += again
        else:
            assert process.exitcode == 0, f"could not go on after {met}"
            compare(cut, expected, met)
    finished(extraction, cut)
    compare(cut, expected, met)
    return met


def compare(cut: Path, expected: dict[str, bytes], met: Kills) -> None:
    assert tables(cut) == expected, f"other bytes after {met}"
    met.whole += 1
    shutil.rmtree(cut)
