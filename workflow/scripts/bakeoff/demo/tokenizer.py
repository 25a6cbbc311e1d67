"""A small byte-level BPE in the files that transformers' AutoTokenizer reads."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer

from bakeoff.tables import atomic_path

SPECIAL = ("<pad>", "<bos>", "<eos>")
PAD, BOS, EOS = range(3)


@dataclass(frozen=True)
class TinyTokenizer:
    """A tokenizer that lower-cases, and puts <bos> before and <eos> behind a text."""

    tokenizer: Tokenizer

    def save(self, folder: Path) -> None:
        """Write tokenizer.json and tokenizer_config.json into `folder`."""
        config = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "pad_token": SPECIAL[PAD],
            "bos_token": SPECIAL[BOS],
            "eos_token": SPECIAL[EOS],
            "padding_side": "right",
            "truncation_side": "right",
            "clean_up_tokenization_spaces": False,
        }
        for name, text in (
            ("tokenizer.json", self.tokenizer.to_str(pretty=True)),
            ("tokenizer_config.json", json.dumps(config, indent=2)),
        ):
            with atomic_path(folder / name) as temporary:
                temporary.write_text(text + "\n", encoding="utf-8")


def train_tokenizer(
    names: Iterable[str], templates: Iterable[str], vocabulary: int
) -> TinyTokenizer:
    """A byte-level BPE of `vocabulary` tokens at most, trained on names and templates.

    Its alphabet is all 256 bytes, so any text can be encoded. No merge is made that
    occurs once only: its embedding could not be learned. Sennrich et al. 2016
    (arXiv:1508.07909).
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*names, *templates], trainer)
    tokenizer.post_processor = TemplateProcessing(
        single=f"{SPECIAL[BOS]} $A {SPECIAL[EOS]}",
        special_tokens=[(SPECIAL[BOS], BOS), (SPECIAL[EOS], EOS)],
    )
    return TinyTokenizer(tokenizer)
