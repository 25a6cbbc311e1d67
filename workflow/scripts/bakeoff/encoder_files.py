"""Which files belong to an encoder, for each library that loads encoders."""

from collections.abc import Iterable
from fnmatch import fnmatch

TOKENIZER = (
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
    *("added_tokens.json", "vocab.json", "vocab.txt", "merges.txt"),
    *("spiece.model", "tokenizer.model", "sentencepiece.bpe.model"),
)
# By loader: the weights in order of preference (all files of one pattern together),
# files that must be there, files that are taken along.
WEIGHTS = {
    "openclip": (
        *("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors"),
        "open_clip_pytorch_model.bin",
    ),
    "transformers": ("model.safetensors", "model-*-of-*.safetensors"),
    "timm": ("model.safetensors",),
}
NEEDED = {
    "openclip": ("open_clip_config.json",),
    "transformers": ("config.json", "preprocessor_config.json"),
    "timm": ("config.json",),
}
OPTIONAL = {
    "openclip": TOKENIZER,
    "transformers": (*TOKENIZER, "model.safetensors.index.json"),
    "timm": (),
}


def weights_among(loader: str, names: Iterable[str]) -> list[str]:
    """The names of the weights, of the first pattern that any fits; none if none does."""
    names = sorted(names)
    by_pattern = ([n for n in names if fnmatch(n, p)] for p in WEIGHTS[loader])
    return next(filter(None, by_pattern), [])
