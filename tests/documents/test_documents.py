"""YAML and JSON: what is read, and what is refused before it can do harm."""

from pathlib import Path

import pytest
from bakeoff.documents import ALIASED, DEPTH, read_json, read_yaml
from bakeoff.errors import BakeoffError


def bomb(levels: int, inner: str = "[x, x, x, x, x, x, x, x, x, x]") -> str:
    """Aliases of aliases: 10 ** (levels + 1) values on `levels` + 1 lines."""
    return f"a0: &a0 {inner}\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n"
        for i in range(1, levels + 1)
    )


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def chain(length: int) -> str:
    """Aliases that nest, each on a line of its own."""
    return "a0: &a0 [1]\n" + "".join(
        f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, length)
    )


REFUSED_YAML = {
    "seed: 1\nname: x\nseed: 2": "keys that stand twice in one mapping: 'seed' (line 3)",
    "a: {b: 1, c: 2, b: 3}": "'b' (line 1)",
    "a: &a [*a]": "alias *a",
    "a: *nothing": "alias *nothing",
    bomb(9): f"more than {ALIASED:,} values",
    bomb(9, "{k: 1, l: 2}"): f"more than {ALIASED:,} values",
    nested(DEPTH + 1): f"more than {DEPTH} levels",
    "[" * 200_000: f"more than {DEPTH} levels",
    "- " * 200_000 + "x": f"more than {DEPTH} levels",
    chain(200): f"more than {DEPTH} levels",
    "a: 1\nb: [1": "a mistake (line 3: ",
    "a: " + "9" * 5000: "a mistake (Exceeds the limit",
    "a: 2024-13-45": "month must be in 1..12",
    "a: \0": "a mistake (unacceptable character",
    "!!python/object/apply:os.system [ls]": "a mistake (line 1: could not determine",
    "? [a]\n: 1": "a mistake (line 1: found unhashable key",
    "a: 1\n---\nb: 2": "but found another document",
}


@pytest.mark.parametrize("text", REFUSED_YAML, ids=lambda text: text[:12])
def test_yaml_is_refused_on_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(BakeoffError) as caught:
        read_yaml(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: got ") and "\n" not in said
    assert REFUSED_YAML[text] in said


REFUSED_JSON = {
    '{"a": 1, "a": 2}': "keys that stand twice in one mapping: 'a'",
    "[" * 200_000: f"more than {DEPTH} levels",
    nested(200_000): f"more than {DEPTH} levels",
    nested(DEPTH + 1): f"more than {DEPTH} levels",
    "9" * 5000: "a mistake (Exceeds the limit",
    '{"a": ': "a mistake (Expecting value",
    "": "a mistake (Expecting value",
}


@pytest.mark.parametrize("text", REFUSED_JSON, ids=lambda text: text[:12])
def test_json_is_refused_on_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(BakeoffError) as caught:
        read_json(path)
    assert REFUSED_JSON[text] in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("read", [read_yaml, read_json])
def test_files_that_cannot_be_read_are_named(tmp_path: Path, read) -> None:
    (tmp_path / "latin").write_bytes("[1,\n'caf\xe9']".encode("latin-1"))
    cases = {
        "none": "no such file",
        ".": "a folder",
        "latin": r"not UTF-8 \(line 2\)",
        "nul\0": "null",
    }
    for name, said in cases.items():
        with pytest.raises(BakeoffError, match=said):
            read(tmp_path / name)


def test_what_may_be_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x"

    def written(text: str, read=read_yaml) -> object:
        path.write_text(text, encoding="utf-8")
        return read(path)

    assert written("") is None
    assert written("\ufeffa: é") == {"a": "é"}
    assert written('\ufeff{"a": "é"}', read_json) == {"a": "é"}
    assert written(bomb(3))["a3"][9][9][9][9] == "x"
    for read in (read_yaml, read_json):
        content = written(nested(DEPTH), read)
        for _ in range(DEPTH - 1):
            (content,) = content
        assert content == []
    # A merged key may be set again, even where its mapping is merged before it is read.
    assert written("k: {i: &b {<<: &a {x: 1}, x: 2}}\nc: {<<: *b}") == {
        "k": {"i": {"x": 2}},
        "c": {"x": 2},
    }
    # Equal as text, but a number and a word.
    assert written("1: a\n'1': b") == {1: "a", "1": "b"}
