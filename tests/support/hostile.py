"""Hostile input for every parser, made from a seed, and what parsers may do with it.

Each target is a function of a random generator and an empty folder: it writes one
hostile file and gives it to the parser. It may succeed or raise BakeoffError (or, for a
picture, Unreadable), nothing else.
"""

import csv
import io
import json
import math
import random
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from bakeoff.checked import write_checked
from bakeoff.cli import main
from bakeoff.encoders.folder import open_folder
from bakeoff.errors import BakeoffError
from bakeoff.images import FORMATS, PIXEL_LIMIT, Unreadable, decode, sha256_of
from bakeoff.kept import settled_precision
from bakeoff.listing import read_listing
from bakeoff.prompts import read_bank
from bakeoff.schemas import FACTS
from bakeoff.sheets import Cell, Column, Sheet, to_csv, to_latex
from bakeoff.store import Shelf
from bakeoff.tables import describe, read_table, write_table
from bakeoff.verify import verify
from PIL import Image
from planning.before import check_files
from planning.config import complete, load_schema

from support.finished import put_job

ROOT = Path(__file__).parents[2]
SCHEMA = load_schema(ROOT / "config/schema.yaml")
NAMES = (
    *("../../x", "a\0b", "x" * 300, "line\nbreak", "-rf", "<script>alert(1)</script>"),
    *("CON", "nul", ".", "..", "/etc/passwd", "~", "$(id)", "{}", "{0.__class__}", ""),
    *(
        "null",
        "true",
        "1e999",
        "é",
        "\u202e",
        "\ud800".encode("utf-8", "replace").decode(),
    ),
    *("classes", "templates", "path", "label", "split", "train", "test", "=1+1", "%s"),
)
WHOLE_CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
WHOLE_BANK = {
    "templates": ["a {}", "the {}"],
    "classes": {"cat": {"names": ["cat"], "prompts": ["a pet"]}, "dog": None},
}

Random = random.Random
Target = Callable[[Random, Path], object]


def value(rng: Random, depth: int = 3) -> object:
    """Any value that YAML or JSON can hold, hostile names among them."""
    kinds: list[Callable[[], object]] = [
        lambda: rng.choice(NAMES),
        lambda: rng.choice([None, True, False, 0, -1, 2**70, 0.5, 1e308, float("nan")]),
        lambda: "".join(chr(rng.randrange(1, 0x2FF)) for _ in range(rng.randrange(12))),
    ]
    if depth:
        kinds += [
            lambda: [value(rng, depth - 1) for _ in range(rng.randrange(4))],
            lambda: {
                rng.choice(NAMES): value(rng, depth - 1)
                for _ in range(rng.randrange(4))
            },
        ]
    return rng.choice(kinds)()


def spoilt(rng: Random, whole: object) -> object:
    """A copy of nested content with one place replaced, removed or added to."""
    if isinstance(whole, dict) and whole and rng.random() < 0.8:
        copy = dict(whole)
        key = rng.choice(list(copy))
        action = rng.random()
        if action < 0.7:
            copy[key] = spoilt(rng, copy[key])
        elif action < 0.85:
            del copy[key]
        else:
            copy[rng.choice(NAMES)] = value(rng)
        return copy
    if isinstance(whole, list) and whole and rng.random() < 0.6:
        place = rng.randrange(len(whole))
        return [*whole[:place], spoilt(rng, whole[place]), *whole[place + 1 :]]
    return value(rng)


def mangled(rng: Random, data: bytes) -> bytes:
    """Bytes with a few of them flipped, cut, repeated, exchanged or put in."""
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 6)):
        if not changed:
            break
        place, action = rng.randrange(len(changed)), rng.randrange(5)
        if action == 0:
            changed[place] ^= 1 << rng.randrange(8)
        elif action == 1:
            del changed[place:]
        elif action == 2:
            changed[place:place] = changed[place : place + rng.randrange(1, 40)]
        elif action == 3:
            changed[place : place + 4] = rng.randbytes(4)
        else:
            changed[place:place] = rng.choice(
                [b"\0", b"\xff\xfe", b'"', b"\r\n", b",,"]
            )
    return bytes(changed)


def configuration(rng: Random, folder: Path) -> object:
    content = spoilt(rng, WHOLE_CONFIG)
    return complete(content if isinstance(content, dict) else {"x": content}, SCHEMA)


def prompt_bank(rng: Random, folder: Path) -> object:
    path = folder / "prompts.yaml"
    bank = WHOLE_BANK if rng.random() < 0.5 else spoilt(rng, WHOLE_BANK)
    text = yaml.safe_dump(bank, allow_unicode=True).encode()
    path.write_bytes(text if rng.random() < 0.5 else mangled(rng, text))
    return read_bank(path, rng.choice([["cat", "dog"], list(NAMES)]))


def labels_csv(rng: Random, folder: Path) -> object:
    path = folder / "labels.csv"
    columns = rng.sample(["path", "label", "split", "group", "sha256", "x"], 4)
    rows = [[rng.choice([*NAMES, "a.png"]) for _ in columns] for _ in range(3)]
    text = "\n".join(",".join(row) for row in [columns, *rows]).encode()
    path.write_bytes(text if rng.random() < 0.5 else mangled(rng, text))
    return read_listing(path, folder)


def labels_parquet(rng: Random, folder: Path) -> object:
    path = folder / "labels.parquet"
    cells: list[Callable[[], list]] = [
        lambda: [rng.choice(NAMES) for _ in range(3)],
        lambda: [rng.choice([None, 1, 2**60]) for _ in range(3)],
        lambda: [[rng.choice(NAMES)] for _ in range(3)],
        lambda: [rng.randbytes(3) for _ in range(3)],
    ]
    names = rng.sample(["path", "label", "split", "group", "sha256", "x"], 4)
    pq.write_table(pa.table({name: rng.choice(cells)() for name in names}), path)
    if rng.random() < 0.5:
        path.write_bytes(mangled(rng, path.read_bytes()))
    return read_listing(path, folder)


def table(rng: Random, folder: Path) -> object:
    path = folder / "table.parquet"
    columns = {"path": ["a", "b"], "reason": ["c", rng.choice(NAMES)]}
    write_table(path, "quarantine", columns)
    path.write_bytes(mangled(rng, path.read_bytes()))
    describe(path)
    return read_table(path, "quarantine")


def picture(rng: Random, folder: Path) -> object:
    pixels = np.frombuffer(rng.randbytes(12 * 9 * 3), np.uint8).reshape(9, 12, 3)
    image = Image.fromarray(pixels).convert(rng.choice(["RGB", "L", "P", "1"]))
    stream = io.BytesIO()
    kind = rng.choice([name for name in FORMATS if name in Image.SAVE])
    if kind in ("JPEG", "PPM") or (
        kind in ("WEBP", "AVIF", "JPEG2000") and image.mode in "P1"
    ):
        image = image.convert("RGB")
    image.save(stream, kind)
    return decode(mangled(rng, stream.getvalue()), pixel_limit=100_000)


def narrow_picture(rng: Random, folder: Path) -> object:
    size = (rng.choice([1, 2, 50, 65500]), rng.choice([1, 3, 700, 65500]))
    if size[0] * size[1] > 10**6:
        size = (1, 65500)
    stream = io.BytesIO()
    Image.new("1", size).save(stream, rng.choice(["PNG", "BMP", "TIFF"]))
    image = decode(stream.getvalue())
    shorter, longer = sorted(image.size)
    assert 1024 * 1024 * longer // shorter <= PIXEL_LIMIT, image.size
    return image


def document(rng: Random, folder: Path) -> object:
    """YAML and JSON that parsers take: repeated keys, deep nesting, aliases of aliases."""
    kind = rng.randrange(4)
    if kind == 0:
        pairs = [f"{rng.choice('abc')}: {rng.randrange(9)}" for _ in range(3)]
        text = f"{{{', '.join(pairs)}}}"
    elif kind == 1:
        text = rng.choice(["[", "{a: ", '{"a": ', "- "]) * 10 ** rng.randrange(1, 5)
    elif kind == 2:
        lines = [f"a{i}: &a{i} [{f'*a{i - 1}, ' * 9}]" for i in range(1, 9)]
        rng.shuffle(lines)
        text = "\n".join(["a0: &a0 [x, x]", *lines])
    else:
        text = json.dumps(value(rng, 6))
    data = text.encode("utf-8", "replace")
    path = folder / rng.choice(["x.yaml", "x.json"])
    path.write_bytes(data if rng.random() < 0.5 else mangled(rng, data))
    return check_files([path])


def derived_note(rng: Random, folder: Path) -> object:
    part = {"folder": rng.choice([".", "..", "../x", "a\0"]), "resolution": None}
    note = {
        **{"id": "a", "loader": "derived", "kind": "tiles", "tiles": 2, "files": {}},
        **{"resolution": 32, "dimension": 8, "parts": [part]},
    }
    text = json.dumps(spoilt(rng, note) if rng.random() < 0.7 else note)
    (folder / "encoder.json").write_text(text)
    weights = open_folder(folder)
    return weights.with_weights, weights.key(precision="fp32")


def store_notes(rng: Random, folder: Path) -> object:
    """Notes of the store that are spoilt: told again, or refused by name."""
    shelf = Shelf(folder, {"a": 1})
    facts = dict.fromkeys(FACTS) | {"dimension": 2}
    shelf.set_facts(facts)
    path = shelf.folder / "facts.json"
    path.write_bytes(mangled(rng, path.read_bytes()))
    assert shelf.facts() is None or set(FACTS) <= set(shelf.facts() or {})
    shelf.set_facts(facts)
    assert shelf.facts() == facts
    weights = SimpleNamespace(key=lambda precision: {}, note={"parameters": 1})
    settled_precision("auto", weights, folder, "cpu")
    (note,) = folder.glob("precision/*.txt")
    note.write_bytes(mangled(rng, note.read_bytes()))
    try:
        return settled_precision("auto", weights, folder, "cpu")
    finally:
        note.unlink()


def cells(rng: Random, folder: Path) -> object:
    """Text of any kind in a table: no formula and no argument of LaTeX's comes of it."""
    text = rng.choice([*NAMES, "[1cm]", "*", "-3", "@A1", "+x", str(value(rng, 0))])
    columns = (Column(text, (text,), number=False),)
    sheet = Sheet("t", "T", "", columns, [(Cell(text, (text,)),)])
    for row in csv.reader(io.StringIO(to_csv(sheet), newline="")):
        for cell in row:
            assert not cell.startswith(("=", "@")), cell
            assert not cell.startswith(("+", "-")) or math.isfinite(float(cell)), cell
    for line in to_latex(sheet).splitlines():
        assert not line.strip().startswith(("[", "*")), line
    return sheet


def power(rng: Random, folder: Path) -> object:
    words = ["power"]
    for name in ("images", "only-first", "only-second", "disagreement", "difference"):
        if rng.random() < 0.6:
            is_count = name in ("images", "only-first", "only-second")
            choices = (
                ["0", "-1", "7", "300"] if is_count else ["nan", "inf", "0", "0.2"]
            )
            words += [f"--{name}={rng.choice(choices)}"]
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        status = main(words)
    assert "nan" not in out.getvalue().partition("got")[0], out.getvalue()
    if status:
        raise BakeoffError("power", out.getvalue(), "numbers", "Correct them.")
    return status


def weights_note(rng: Random, folder: Path) -> object:
    note = {
        "id": "a",
        "loader": "openclip",
        "files": {"model.safetensors": "0" * 64},
        "resolution": 32,
        "dimension": 8,
    }
    text = json.dumps(spoilt(rng, note)).encode()
    text = text if rng.random() < 0.5 else mangled(rng, text)
    (folder / "encoder.json").write_bytes(text)
    return open_folder(folder).verify()


def record(rng: Random, folder: Path) -> object:
    study = folder / "results" / "s"
    study.mkdir(parents=True, exist_ok=True)
    (folder / "a.png").write_bytes(b"a picture")
    columns = [[sha256_of(folder / "a.png")], ["a.png"], ["x"], [""], [1], [1]]
    names = ("image_id", "path", "label", "split", "width", "height")
    manifest = study / "manifest.parquet"
    write_table(manifest, "manifest", dict(zip(names, columns, strict=True)))
    tables = {"results/s/manifest.parquet": sha256_of(manifest)}
    put_job(folder, "results/s/manifest.parquet")
    whole = {
        "study": "s",
        "tables": tables,
        "encoders": {},
        "images": ".",
        "n": {"x": 2},
    }
    content, note = spoilt(rng, whole), study / "provenance.json"
    write_checked(note, content if isinstance(content, dict) else {"x": content})
    if rng.random() < 0.5:
        note.write_bytes(mangled(rng, note.read_bytes()))
    found = verify(folder / "results")
    if found.problems:
        raise BakeoffError("results", found.text(), "what was recorded", "Run again.")
    return found


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        *(configuration, prompt_bank, labels_csv, labels_parquet, table, picture),
        *(weights_note, record, narrow_picture, document, derived_note, store_notes),
        *(cells, power),
    )
}


# What takes any text.
NEVER_REFUSED = ("cells",)


def attack(name: str, seed: int, folder: Path) -> str:
    """`accepted` or `refused`; any other outcome is raised, with what repeats it.

    Afterwards the folder is empty again, so that nothing is written outside of it.
    """
    try:
        TARGETS[name](random.Random(f"{name} {seed}"), folder)
    except (BakeoffError, Unreadable) as error:
        assert str(error).strip(), "a refusal without words"
        return "refused"
    except Exception as error:
        raise AssertionError(f"{name}, seed {seed}: {type(error).__name__}") from error
    return "accepted"
