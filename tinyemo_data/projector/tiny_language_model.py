"""The demo's language model: a small causal LM in the Hugging Face layout, made on the spot, offline, seeded.

Its tokenizer is a byte-level BPE trained on `tiny_language_model.txt` (this project's own sentences). Its
embeddings are not noise: they factorise the positive pointwise mutual information of tokens that share
a sentence (Levy & Goldberg, NIPS 2014, §5), so that words of like scenes lie near each other. The layers
are a Llama's with random weights; `transformers` loads it as a LlamaForCausalLM, and trains it further.
Files are written here, not by `transformers`, whose import alone takes longer than making the model.
"""

import contextlib
import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import torch
from safetensors.torch import save
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from tinyemo_data.store import Store

Matrix = npt.NDArray[np.float64]

FOLDER = "models/language_model"
# config.json is written last: its presence means that the others are there.
FILES = ("tokenizer.json", "tokenizer_config.json", "model.safetensors", "config.json")
TEXT = Path(__file__).with_suffix(".txt")
SPECIALS = ("<pad>", "<s>", "</s>")
PAD, BOS, EOS = range(3)
CONTEXT_COUNT = 4  # rarer tokens are no context: what they occur with is chance
STD = 0.02  # of weights and embeddings, as Llama starts with
NOISE = 0.1  # of STD: sets apart tokens that the text does not have
VERSION = 1  # raised when the same settings shall give another model


@dataclass(frozen=True)
class Size:
    """The shape of the model; each figure is a key of Llama's config.json."""

    hidden_size: int = 96
    intermediate_size: int = 256
    num_hidden_layers: int = 2
    num_attention_heads: int = 4
    num_key_value_heads: int = 4
    vocab_size: int = 2048  # at most; the text may give fewer tokens
    max_position_embeddings: int = 2048


NAME = (
    f"made on the spot (a Llama of {Size.num_hidden_layers} layers, {Size.hidden_size} wide, "
    "embeddings from co-occurrence in 12 kB of text)"
)


def make(store: Store, seed: int = 0) -> str:
    """Make the model under `models/language_model/` unless it is there already; return its fingerprint.

    Equal seeds give equal bytes. Files that are missing, damaged or of another seed are made again.
    """
    fingerprint = _fingerprint(seed)
    if _is_made(store, fingerprint):
        return fingerprint
    size = Size()
    sentences = TEXT.read_text(encoding="utf-8").splitlines()
    tokenizer = train_tokenizer(sentences, size.vocab_size)
    contents = {
        "tokenizer.json": tokenizer.to_str(pretty=True).encode(),
        "tokenizer_config.json": _json(_tokenizer_config(size)),
        "model.safetensors": save(make_weights(tokenizer, sentences, size, seed), {"format": "pt"}),
    }
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    config = _model_config(size, tokenizer.get_vocab_size())
    config["tinyemo"] = {"fingerprint": fingerprint, "seed": seed, "files": digests}
    for name in FILES:
        store.write_bytes(f"{FOLDER}/{name}", contents.get(name) or _json(config))
    return fingerprint


@contextlib.contextmanager
def local_folder(store: Store) -> Iterator[Path]:
    """Give the made model as a local folder: itself on a local store, a temporary copy elsewhere."""
    if store.is_local:
        yield Path(str(store.path(FOLDER)))
        return
    with tempfile.TemporaryDirectory(prefix="tinyemo-") as folder:
        for name in FILES:
            (Path(folder) / name).write_bytes(store.read_bytes(f"{FOLDER}/{name}"))
        yield Path(folder)


def train_tokenizer(sentences: list[str], vocab_size: int) -> Tokenizer:
    """Train a byte-level BPE that puts `<s>` before each text; any text can be encoded."""
    tokenizer = Tokenizer(models.BPE())
    # With the prefix space a label is the same token alone as within a sentence.
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        special_tokens=list(SPECIALS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sentences, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", BOS)]
    )
    return tokenizer


def make_weights(tokenizer: Tokenizer, sentences: list[str], size: Size, seed: int) -> dict[str, torch.Tensor]:
    """Return the float32 weights under the names of transformers' LlamaForCausalLM; the head is tied."""
    generator = torch.Generator().manual_seed(seed)
    hidden, inner, layers = size.hidden_size, size.intermediate_size, size.num_hidden_layers
    shapes = {"self_attn.q_proj": (hidden, hidden), "self_attn.o_proj": (hidden, hidden)}
    narrow = hidden // size.num_attention_heads * size.num_key_value_heads
    shapes |= {"self_attn.k_proj": (narrow, hidden), "self_attn.v_proj": (narrow, hidden)}
    shapes |= {
        "mlp.gate_proj": (inner, hidden),
        "mlp.up_proj": (inner, hidden),
        "mlp.down_proj": (hidden, inner),
    }
    embeddings = cooccurrence_embeddings(tokenizer, sentences, hidden)
    noise = torch.randn(embeddings.shape, generator=generator)
    weights = {"model.embed_tokens.weight": STD * (torch.from_numpy(embeddings).float() + NOISE * noise)}
    for layer in range(layers):
        for name, shape in shapes.items():
            weights[f"model.layers.{layer}.{name}.weight"] = STD * torch.randn(shape, generator=generator)
        for norm in ("input_layernorm", "post_attention_layernorm"):
            weights[f"model.layers.{layer}.{norm}.weight"] = torch.ones(hidden)
    weights["model.norm.weight"] = torch.ones(hidden)
    return weights


def cooccurrence_embeddings(tokenizer: Tokenizer, sentences: list[str], width: int) -> Matrix:
    """Return an embedding a token, (V, width) float64: U·sqrt(S) of the PPMI matrix, standard deviation 1.

    Contexts are the tokens that occur CONTEXT_COUNT times or more. Tokens of no sentence have zero rows.
    """
    counts = _count_tokens(tokenizer, sentences)
    together = counts.T @ counts
    np.fill_diagonal(together, 0.0)
    contexts = counts.sum(axis=0) >= CONTEXT_COUNT
    left, strengths, _ = np.linalg.svd(_ppmi(together)[:, contexts], full_matrices=False)
    scaled = left[:, :width] * np.sqrt(strengths[:width])
    # A singular vector's sign is arbitrary: its largest component shall be positive.
    largest = np.abs(scaled).argmax(axis=0)
    scaled *= np.where(scaled[largest, np.arange(scaled.shape[1])] < 0, -1.0, 1.0)
    seen = counts.sum(axis=0) > 0
    # Rounded, so that the last bits, which hang on the number of threads, leave no trace.
    embeddings: Matrix = np.round(scaled / scaled[seen].std(), 4) + 0.0  # no negative zeros
    return embeddings


def _count_tokens(tokenizer: Tokenizer, sentences: list[str]) -> Matrix:
    """Return how often each sentence has each token, (sentences, V)."""
    counts = np.zeros((len(sentences), tokenizer.get_vocab_size()))
    for row, encoding in enumerate(tokenizer.encode_batch(sentences)):
        np.add.at(counts, (row, encoding.ids), 1.0)
    return counts


def _ppmi(counts: Matrix) -> Matrix:
    """Return max(0, log(p(a, b) / p(a) p(b))) of symmetric counts; 0 where a pair does not occur."""
    occurrences = counts.sum(axis=1)
    expected = np.outer(occurrences, occurrences) / counts.sum()
    ratio = np.divide(counts, expected, out=np.ones_like(counts), where=counts > 0)
    information: Matrix = np.log(np.maximum(ratio, 1.0))
    return information


def _model_config(size: Size, vocab_size: int) -> dict[str, Any]:
    return {
        **asdict(size),
        "vocab_size": vocab_size,
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "initializer_range": STD,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "tie_word_embeddings": True,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "pad_token_id": PAD,
        "dtype": "float32",
    }


def _tokenizer_config(size: Size) -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": SPECIALS[PAD],
        "bos_token": SPECIALS[BOS],
        "eos_token": SPECIALS[EOS],
        "add_prefix_space": True,
        "model_max_length": size.max_position_embeddings,
        "clean_up_tokenization_spaces": False,
    }


def _fingerprint(seed: int) -> str:
    described = [VERSION, seed, asdict(Size()), hashlib.sha256(TEXT.read_bytes()).hexdigest()]
    return hashlib.sha256(orjson.dumps(described)).hexdigest()


def _is_made(store: Store, fingerprint: str) -> bool:
    if not all(store.exists(f"{FOLDER}/{name}") for name in FILES):
        return False
    try:
        made = orjson.loads(store.read_bytes(f"{FOLDER}/config.json")).get("tinyemo", {})
    except (orjson.JSONDecodeError, AttributeError):
        return False
    digests = made.get("files", {})
    intact = all(store.digest(f"{FOLDER}/{name}") == digest for name, digest in digests.items())
    return bool(made.get("fingerprint") == fingerprint and digests and intact)


def _json(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
