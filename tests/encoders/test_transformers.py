"""transformers folders: vectors of a plain transformers call; the rules for texts."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from bakeoff.encoders import load_encoder
from bakeoff.encoders.transformers import TEXT_RULES, canonical
from bakeoff.errors import BakeoffError
from PIL import Image

WIDTH = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
SQUARE = {"height": 32, "width": 32}
TEXTS = ["A photo, of_the DOG!", "riding a bike.", ""]


def save_clip(folder: Path, words: int) -> int:
    vision = WIDTH | {"image_size": 32, "patch_size": 8, "projection_dim": 24}
    text = WIDTH | {"vocab_size": words, "projection_dim": 24, "eos_token_id": 1}
    config = transformers.CLIPConfig(
        vision_config=vision, text_config=text, projection_dim=24
    )
    transformers.CLIPModel(config).save_pretrained(folder)
    transformers.CLIPImageProcessor(
        size={"shortest_edge": 32}, crop_size=SQUARE
    ).save_pretrained(folder)
    return 24


def save_siglip(folder: Path, words: int) -> int:
    vision = WIDTH | {"image_size": 32, "patch_size": 8}
    text = WIDTH | {"vocab_size": words, "projection_size": 32}
    config = transformers.SiglipConfig(vision_config=vision, text_config=text)
    model = transformers.SiglipModel(config)
    save_with_scale(model, folder)
    transformers.SiglipImageProcessor(size=SQUARE).save_pretrained(folder)
    return 32


def save_with_scale(model, folder: Path) -> None:
    torch.nn.init.constant_(model.logit_scale, 2.0)
    torch.nn.init.constant_(model.logit_bias, -7.0)
    model.save_pretrained(folder)


def save_siglip2(folder: Path, words: int) -> int:
    vision = WIDTH | {"num_patches": 16, "patch_size": 8}
    text = WIDTH | {"vocab_size": words, "projection_size": 32}
    config = transformers.Siglip2Config(vision_config=vision, text_config=text)
    save_with_scale(transformers.Siglip2Model(config), folder)
    transformers.Siglip2ImageProcessor(
        patch_size=8, max_num_patches=16
    ).save_pretrained(folder)
    return 32


def save_dinov2(folder: Path, words: int) -> int:
    config = transformers.Dinov2Config(image_size=32, patch_size=8, **WIDTH)
    transformers.Dinov2Model(config).save_pretrained(folder)
    transformers.BitImageProcessor(
        size={"shortest_edge": 32}, crop_size=SQUARE
    ).save_pretrained(folder)
    return 32


SAVE = {
    "clip": save_clip,
    "siglip": save_siglip,
    "siglip2": save_siglip2,
    "dinov2": save_dinov2,
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory, save_words, describe_folder) -> dict[str, Path]:
    root, folders = tmp_path_factory.mktemp("transformers"), {}
    for family, save in SAVE.items():
        torch.manual_seed(0)
        folder = root / family
        words = save_words(folder)
        dimension = save(folder, words)
        if family == "dinov2":
            (folder / "tokenizer.json").unlink()
            (folder / "tokenizer_config.json").unlink()
        folders[family] = describe_folder(folder, "transformers", dimension, 32)
    return folders


@pytest.fixture
def images() -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [
        Image.fromarray(rng.integers(0, 256, (h, w, 3), np.uint8))
        for w, h in [(50, 31), (31, 70), (32, 32)]
    ]


def encode(encoder, images):
    return encoder.encode_images(
        encoder.collate([encoder.preprocess(image) for image in images])
    )


@pytest.mark.parametrize("family", SAVE)
def test_images_equal_a_plain_call(folders, images, family):
    model = transformers.AutoModel.from_pretrained(folders[family]).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folders[family])
    inputs = processor(images=images, return_tensors="pt")
    with torch.no_grad():
        if family == "dinov2":
            expected = model(**inputs).pooler_output
        else:
            expected = model.get_image_features(**inputs).pooler_output
    encoder = load_encoder(folders[family])
    found = encode(encoder, images)
    assert found.shape == (3, encoder.dimension)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("family", ["clip", "siglip", "siglip2"])
def test_images_and_texts_equal_the_models_own_logits(folders, images, family):
    """The whole way to a logit: vectors, their normalisation, scale and bias."""
    encoder = load_encoder(folders[family])
    model = transformers.AutoModel.from_pretrained(folders[family]).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folders[family])
    tokens = encoder._tokens(TEXTS)
    with torch.no_grad():
        expected = model(
            **processor(images=images, return_tensors="pt"), **tokens
        ).logits_per_image
    a = torch.nn.functional.normalize(encode(encoder, images))
    b = torch.nn.functional.normalize(encoder.encode_texts(TEXTS))
    logits = encoder.logit_scale * a @ b.T + (encoder.logit_bias or 0.0)
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)
    assert (encoder.logit_bias is None) == (family == "clip")


@pytest.mark.parametrize("family", ["clip", "siglip", "dinov2"])
def test_another_resolution(folders, images, family):
    encoder = load_encoder(folders[family], resolution=48)
    assert encoder.preprocess(images[0]).shape == (3, 48, 48)
    assert torch.isfinite(encode(encoder, images)).all()


def test_naflex_keeps_the_aspect_ratio(folders):
    wide = Image.new("RGB", (64, 16), "red")
    packed = load_encoder(folders["siglip2"]).preprocess(wide)
    assert packed.shape == (17, 192)
    assert packed[-1, :2].tolist() == [2, 8]
    finer = load_encoder(folders["siglip2"], resolution=64).preprocess(wide)
    assert finer.shape == (65, 192) and finer[-1, :2].tolist() == [4, 16]


def test_bf16_is_close(folders, images):
    for family in ("clip", "siglip", "siglip2"):
        a = encode(load_encoder(folders[family]), images)
        b = encode(load_encoder(folders[family], precision="bf16"), images)
        assert torch.nn.functional.cosine_similarity(a, b).min() > 0.999, family


def test_canonical_texts():
    assert canonical("A photo, of_the\n DOG!  (it's)") == "a photo of the dog its"
    assert canonical("") == ""


# [PAD] 0, [EOS] 1, [UNK] 2, then the words of the stand-in tokenizer.
def ids(folder: Path, text: str) -> list[int]:
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
    return [tokenizer.convert_tokens_to_ids(word) for word in text.split()]


@pytest.mark.parametrize(
    ("family", "length", "words"),
    [
        ("clip", 77, "a photo , of_the dog !"),
        ("siglip", 64, "a photo of the dog [EOS]"),
        ("siglip2", 64, "a photo , of_the dog ! [EOS]"),
    ],
)
def test_golden_ids(folders, family, length, words):
    tokens = load_encoder(folders[family])._tokens(TEXTS)
    first = tokens["input_ids"][0].tolist()
    expected = ids(folders[family], words)
    assert first == expected + [0] * (length - len(expected))
    assert expected[:2] == ids(folders[family], "a photo") and 0 not in expected
    if family == "clip":
        assert tokens["attention_mask"].sum(1).tolist()[0] == len(expected)
    else:
        assert set(tokens) == {"input_ids"}


def test_padding_and_masks_matter_to_siglip(folders):
    """The two ways in which SigLIP is silently wrong elsewhere, seen in the vectors."""
    encoder = load_encoder(folders["siglip"])
    right = encoder.encode_texts(TEXTS[:1])
    tokens = encoder._tokens(TEXTS[:1])["input_ids"]
    with torch.no_grad():
        short = encoder.model.get_text_features(input_ids=tokens[:, :5]).pooler_output
        mask = (tokens != 0).long()
        masked = encoder.model.get_text_features(
            input_ids=tokens, attention_mask=mask
        ).pooler_output
    assert not torch.allclose(short, right, atol=1e-4)
    assert not torch.allclose(masked, right, atol=1e-4)


def test_long_texts_are_cut(folders):
    for family, rules in TEXT_RULES.items():
        tokens = load_encoder(folders[family]).tokenize(["dog " * 200])
        assert tokens.shape == (1, rules.length)
        (dog,) = ids(folders[family], "dog")
        assert tokens[0, :-1].unique().tolist() == [dog]
        assert tokens[0, -1] == (1 if rules.sigmoid else dog)


def test_no_texts(folders):
    encoder = load_encoder(folders["dinov2"])
    assert not encoder.has_text
    with pytest.raises(BakeoffError, match="no text tower"):
        encoder.encode_texts(["a dog"])


PLANTED = """
from pathlib import Path
Path({marker!r}).touch()
"""


@pytest.fixture
def naming_code(tmp_path, monkeypatch):
    """A copy of a folder whose every configuration names code that a cache holds.

    The code lies where transformers looks for the files of `someone/code`, so that no
    check of a folder stands between it and being imported.
    """
    from huggingface_hub import constants

    cache = tmp_path / "cache/models--someone--code"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs/main").write_text("0" * 40)
    (cache / f"snapshots/{'0' * 40}").mkdir(parents=True)
    code = PLANTED.format(marker=str(tmp_path / "it-ran"))
    (cache / f"snapshots/{'0' * 40}/planted.py").write_text(code)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    modules = str(tmp_path / "modules")
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", modules)
    monkeypatch.setattr("builtins.input", lambda *_: "y")

    def naming_code(folder: Path, describe, **changes: str) -> Path:
        copy = Path(shutil.copytree(folder, tmp_path / "copy"))
        classes = ("AutoConfig", "AutoModel", "AutoImageProcessor")
        auto_map = dict.fromkeys(classes, "someone/code--planted.Planted")
        auto_map["AutoTokenizer"] = [auto_map["AutoModel"], None]
        auto_map["AutoProcessor"] = auto_map["AutoModel"]
        for path in copy.glob("*config.json"):
            content = json.loads(path.read_text()) | {"auto_map": auto_map}
            known = {k: v for k, v in changes.items() if k in content}
            path.write_text(json.dumps(content | known))
        note = json.loads((copy / "encoder.json").read_text())
        return describe(copy, "transformers", note["dimension"], note["resolution"])

    return naming_code


@pytest.mark.parametrize("family", SAVE)
def test_code_is_not_asked_for_where_the_library_knows_the_model(
    folders, images, family, naming_code, describe_folder, tmp_path
):
    encoder = load_encoder(naming_code(folders[family], describe_folder))
    assert not (tmp_path / "it-ran").exists()
    expected = load_encoder(folders[family])
    assert torch.equal(encode(encoder, images), encode(expected, images))
    if expected.has_text:
        assert torch.equal(encoder.encode_texts(TEXTS), expected.encode_texts(TEXTS))


@pytest.mark.parametrize(
    "changes",
    [
        {"model_type": "planted", "architectures": "Planted"},
        {"image_processor_type": "Planted"},
    ],
)
def test_a_model_that_needs_its_own_code(
    folders, changes, naming_code, describe_folder, tmp_path
):
    folder = naming_code(folders["dinov2"], describe_folder, **changes)
    with pytest.raises(BakeoffError, match="only the code of its repository can load"):
        load_encoder(folder)
    assert not (tmp_path / "it-ran").exists()
