import pytest
from bakeoff.demo.tokenizer import BOS, EOS, PAD, train_tokenizer
from transformers import AutoTokenizer

NAMES = ["woman juggling", "man juggling", "growing heart", "growing pains"] * 3


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    train_tokenizer(NAMES, ["a {}"], 300).save(folder)
    return AutoTokenizer.from_pretrained(folder)


def test_special_tokens_surround_the_text_and_fill_it_up(loaded):
    ids = loaded(["juggling"], padding="max_length", max_length=8).input_ids[0]
    assert ids[0] == BOS
    assert ids[ids.index(EOS) + 1 :] == [PAD] * (7 - ids.index(EOS))


def test_truncation_keeps_the_end_of_text(loaded):
    ids = loaded(["woman " * 50], truncation=True, max_length=8).input_ids[0]
    assert (len(ids), ids[-1]) == (8, EOS)


def test_case_does_not_matter(loaded):
    assert loaded("Woman JUGGLING").input_ids == loaded("woman juggling").input_ids


@pytest.mark.parametrize("text", ["jäger", "水球", "🚴 x", "tab\tand\nnewline"])
def test_any_text_survives(loaded, text):
    ids = loaded(text).input_ids
    assert loaded.decode(ids, skip_special_tokens=True).strip() == text


def test_training_repeats(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        train_tokenizer(NAMES, ["a {}"], 290).save(tmp_path / name)
    a, b = (tmp_path / name / "tokenizer.json" for name in ("a", "b"))
    assert a.read_bytes() == b.read_bytes()


def test_vocabulary_is_bounded_and_holds_all_bytes(loaded):
    assert 3 + 256 <= len(loaded) <= 300
