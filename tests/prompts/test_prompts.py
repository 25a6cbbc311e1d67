"""Prompt banks: what they expand to and what they refuse."""

import pytest
from bakeoff.errors import BakeoffError
from bakeoff.folders import read_folders
from bakeoff.prompts import read_bank

BANK = """
templates: ["a photo of {}.", "{} {{x}}"]
classes:
  texting:
    names: [texting, typing]
    prompts: ["a person with a phone", "a photo of typing."]
  running:
"""


@pytest.fixture
def bank(tmp_path):
    def write(text):
        path = tmp_path / "bank.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_templates_times_names_then_own_prompts_without_repetitions(bank):
    prompts = read_bank(bank(BANK), ["running", "texting"])
    assert [(p.label, p.template, p.text) for p in prompts] == [
        ("running", 0, "a photo of running."),
        ("running", 1, "running {{x}}"),
        ("texting", 0, "a photo of texting."),
        ("texting", 1, "a photo of typing."),
        ("texting", 2, "texting {{x}}"),
        ("texting", 3, "typing {{x}}"),
        ("texting", 4, "a person with a phone"),
    ]


def test_numbers_may_be_classes(bank):
    prompts = read_bank(bank("templates: ['age {}']\nclasses: {1: , 2: }"), ["1", "2"])
    assert [p.text for p in prompts] == ["age 1", "age 2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("classes: {a: {prompts: [x]}}", r"classes.b: missing"),
        ("template: []\nclasses: {}", r"template: unknown; did you mean 'templates'"),
        ("templates: [x]\nclasses: {}", r"templates\[0\]: 'x' lacks"),
        (
            "templates: ['{}', 3]\nclasses: {a: , b: }",
            r"templates\[1\]: 3 is not a text",
        ),
        ("classes: {a: , b: }", r"classes.a: no prompts.*\n.*classes.b: no prompts"),
        ("templates: ['{}']\nclasses: {a: , bb: }", r"classes.bb: unknown.*\n"),
        ("classes: {a: {prompt: [x]}}", r"classes.a.prompt: unknown.*'prompts'"),
        ("classes: {a: [x]}", r"classes.a: \['x'\] is not a mapping"),
        ("classes: {a: {prompts: x}}", r"classes.a.prompts: 'x' is not a list"),
        ("- a", "classes: missing"),
        ("{", "YAML file"),
    ],
)
def test_problems_are_named_by_their_key(bank, text, message):
    with pytest.raises(BakeoffError, match=message):
        read_bank(bank(text), ["a", "b"])


def test_missing_file(tmp_path):
    with pytest.raises(BakeoffError, match="no such file"):
        read_bank(tmp_path / "none.yaml", ["a"])


def test_a_class_is_the_same_class_however_its_accents_are_written(bank, tmp_path):
    """MacOS hands out names of folders in another form of Unicode than keyboards."""
    composed, apart = "b\u00e4r", "ba\u0308r"
    for folder in (composed, apart):
        for written in (composed, apart):
            images = tmp_path / f"{len(folder)}{len(written)}" / folder
            images.mkdir(parents=True)
            (images / "a.png").touch()
            (entry,) = read_folders(images.parent)
            text = f"templates: ['a {{}}']\nclasses: {{{written}: }}"
            (prompt,) = read_bank(bank(text), [entry.label])
            assert (prompt.label, prompt.text) == (entry.label, f"a {composed}")


def test_one_class_under_two_keys_is_refused(bank):
    for keys in ("b\u00e4r: , ba\u0308r: ", "1: , '1': "):
        with pytest.raises(BakeoffError, match="stands twice"):
            read_bank(bank(f"templates: ['a {{}}']\nclasses: {{{keys}}}"), ["1"])
