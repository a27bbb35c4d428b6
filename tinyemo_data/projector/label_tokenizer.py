"""Tokenizes grounding texts as the language model's own tokenizer does, special tokens included.

`tokenizer.json` is read by `tokenizers` alone: its post-processor says which special tokens are added,
whatever tokenizer_config.json says (so it is in `transformers` 5). A tokenizer of older files (vocab.json
and merges.txt, tokenizer.model) is built by `transformers`, which takes seconds to import.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from tinyemo_data.errors import LanguageModelError
from tinyemo_data.projector.language_model import ModelFiles, find_files

# What `transformers` may need to build a tokenizer without tokenizer.json.
OLDER_FILES = (
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
)
VOCABULARIES = ("vocab.json", "vocab.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model")


@dataclass(frozen=True)
class TextTokens:
    """A text's tokens, special tokens included."""

    ids: tuple[int, ...]
    tokens: tuple[str, ...]


class LabelTokenizer:
    """A language model's tokenizer, for short texts: no truncation, no padding."""

    def __init__(self, location: str, tokenizer: Tokenizer) -> None:
        """Wrap the tokenizer of `location`, with truncation and padding switched off."""
        tokenizer.no_truncation()
        tokenizer.no_padding()  # some files pad every text to a fixed length
        self.location = location
        self._tokenizer = tokenizer

    def tokenize(self, texts: Sequence[str]) -> list[TextTokens]:
        """Return the tokens of each text. Raises LanguageModelError for a text without any."""
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=True)
        for text, encoding in zip(texts, encodings, strict=True):
            if not encoding.ids:
                raise LanguageModelError(f"The tokenizer of {self.location} gives no token for '{text}'.")
        return [TextTokens(tuple(encoding.ids), tuple(encoding.tokens)) for encoding in encodings]

    def vocabulary(self) -> dict[str, int]:
        """Return token to id, without those that were added to the model's own (special ones)."""
        own: dict[str, int] = self._tokenizer.get_vocab(with_added_tokens=False)
        special = {token.content for token in self._tokenizer.get_added_tokens_decoder().values()}
        return {token: number for token, number in own.items() if token not in special}


def load_tokenizer(location: str | Path) -> LabelTokenizer:
    """Read the tokenizer in a folder or of a hub id. Raises LanguageModelError where there is none."""
    files = find_files(location)
    path = files.find("tokenizer.json")
    return LabelTokenizer(str(location), _read_tokenizer(path) if path else _build_by_transformers(files))


def _read_tokenizer(path: Path) -> Tokenizer:
    # Not `from_file`: it raises a bare Exception for whatever is wrong with the file.
    try:
        return Tokenizer.from_buffer(path.read_bytes())
    except ValueError as exc:
        raise LanguageModelError(f"{path} is no tokenizer ({exc}). Download it again.") from exc


def _build_by_transformers(files: ModelFiles) -> Tokenizer:
    found = [path for name in OLDER_FILES if (path := files.find(name)) is not None]
    if not any(path.name in VOCABULARIES for path in found):
        raise LanguageModelError(
            f"{files.location} has no tokenizer: looked for tokenizer.json, {', '.join(VOCABULARIES)}. Set "
            "TINYEMO_LANGUAGE_MODEL_TOKENIZER to a folder or hub id that has it (OpenELM uses Llama-2's)."
        )
    from transformers import AutoTokenizer

    files.find("config.json")  # says which kind of tokenizer it is
    try:
        built = AutoTokenizer.from_pretrained(found[0].parent, local_files_only=True, trust_remote_code=False)
    except (ImportError, OSError, TypeError, ValueError) as exc:
        raise LanguageModelError(
            f"The tokenizer of {files.location} ({', '.join(path.name for path in found)}) can't be built: "
            f"{exc} Save it as tokenizer.json once (`AutoTokenizer.from_pretrained(...).save_pretrained(…)` "
            "where its library is installed) and set TINYEMO_LANGUAGE_MODEL_TOKENIZER to that folder."
        ) from exc
    backend = getattr(built, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer):
        raise LanguageModelError(
            f"The tokenizer of {files.location} is a {type(built).__name__}, which has no "
            "tokenizer.json. Set TINYEMO_LANGUAGE_MODEL_TOKENIZER to a folder or hub id that has one."
        )
    return backend
