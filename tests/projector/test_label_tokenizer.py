import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from tinyemo_data.errors import LanguageModelError
from tinyemo_data.projector import tiny_language_model
from tinyemo_data.projector.label_tokenizer import load_tokenizer
from tinyemo_data.projector.prototypes import make_prototypes
from tinyemo_data.store import Store

TEXTS = ["joy", "a scene evoking cheerfulness to viewers", "ärger ☃", "self-respect"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real causal language model with its tokenizer."""
    store = Store(tmp_path_factory.mktemp("store"))
    tiny_language_model.make(store)
    return Path(str(store.path(tiny_language_model.FOLDER)))


def write_tokenizer(model: Path, folder: Path, **configured: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "tokenizer.json").write_bytes((model / "tokenizer.json").read_bytes())
    config = json.loads((model / "tokenizer_config.json").read_bytes()) | configured
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


CONFIGURED: list[dict[str, Any]] = [
    {},
    {"add_bos_token": True},
    {"add_bos_token": False},
    {"add_bos_token": True, "add_eos_token": True},
    {"add_eos_token": True},
    {"add_bos_token": True, "bos_token": {"content": "</s>", "__type": "AddedToken"}},
    {"bos_token": "</s>"},
    {"tokenizer_class": "LlamaTokenizer", "add_bos_token": False},
]


@pytest.mark.parametrize("configured", CONFIGURED, ids=json.dumps)
def test_tokenize_gives_the_ids_of_transformers_when_the_config_sets(
    model: Path, tmp_path: Path, configured: dict[str, Any]
) -> None:
    from transformers import AutoTokenizer

    folder = write_tokenizer(model, tmp_path, **configured)
    expected = AutoTokenizer.from_pretrained(folder)(TEXTS).input_ids
    assert [list(found.ids) for found in load_tokenizer(folder).tokenize(TEXTS)] == expected


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(min_size=1, max_size=40))
def test_tokenize_starts_any_text_with_the_start_token(model: Path, text: str) -> None:
    (found,) = load_tokenizer(model).tokenize([text])
    assert found.tokens[0] == "<s>"
    assert len(found.ids) == len(found.tokens)


def test_tokenize_neither_pads_nor_truncates_when_the_file_says_so(model: Path, tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.enable_padding(length=64, pad_token="<pad>")
    tokenizer.enable_truncation(max_length=3)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert load_tokenizer(tmp_path).tokenize(TEXTS) == load_tokenizer(model).tokenize(TEXTS)


def test_tokenize_names_the_text_when_it_has_no_token(model: Path, tmp_path: Path) -> None:
    described = json.loads((model / "tokenizer.json").read_bytes()) | {"post_processor": None}
    (tmp_path / "tokenizer.json").write_text(json.dumps(described))
    with pytest.raises(LanguageModelError, match="no token for ''"):
        load_tokenizer(tmp_path).tokenize(["joy", ""])


def test_load_tokenizer_builds_an_older_tokenizer_when_there_is_no_tokenizer_json(model: Path, tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.model.save(str(tmp_path))  # vocab.json and merges.txt
    described = {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": True, "unk_token": "<pad>"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(described))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    found = load_tokenizer(tmp_path).tokenize(TEXTS)
    assert [list(each.ids) for each in found] == [
        tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS
    ]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("tokenizer.json", b"{}", "is no tokenizer"),
        ("tokenizer.json", b"\xff\xfe", "is no tokenizer"),
        ("tokenizer.model", b"sentencepiece", "can't be built"),
        ("readme.md", b"", "TINYEMO_LANGUAGE_MODEL_TOKENIZER"),
    ],
    ids=["empty", "binary", "sentencepiece", "absent"],
)
def test_load_tokenizer_says_what_is_wrong_when_the_file_is(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LanguageModelError, match=expected) as caught:
        load_tokenizer(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_make_prototypes_takes_another_folders_tokenizer_when_the_model_has_none(model: Path, tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((model / name).read_bytes())
    with pytest.raises(LanguageModelError, match="TINYEMO_LANGUAGE_MODEL_TOKENIZER"):
        make_prototypes(["joy", "fear"], tmp_path)
    found = make_prototypes(["joy", "fear"], tmp_path, tokenizer=model, name="same")
    assert found.digest == make_prototypes(["joy", "fear"], model, name="same").digest
