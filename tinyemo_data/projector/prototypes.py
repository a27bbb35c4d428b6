"""Prototypes: the point that each emotion's name has in a language model's embedding space (TinyEmo, §3).

A prototype is the mean of the model's input-embedding rows over the tokens of a label's grounding
text, special tokens (BOS) included where the tokenizer adds them. No layer of the model runs.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from tinyemo_data.errors import CheckpointError, LanguageModelError, SettingsError, StoreError, nearest
from tinyemo_data.projector.embedding_matrix import read_embedding_rows
from tinyemo_data.projector.label_tokenizer import TextTokens, load_tokenizer
from tinyemo_data.projector.language_model import find_files
from tinyemo_data.store import Store

PLACE = "{emotion}"
FOLDER = "models/projector"
# Two directions closer than this predict the same label for every picture.
SAME_DIRECTION = 1e-6


@dataclass(frozen=True)
class Prototypes:
    """One point a label, and some a synonym of it, in the embedding space of one language model."""

    words: tuple[str, ...]  # canonical labels, unique over all taxonomies, sorted
    embeddings: torch.Tensor  # (W, h) float32, a row a word
    synonyms: dict[str, torch.Tensor]  # word -> (k, h) float32; words without synonyms are absent
    language_model: str  # its name or hub id, or "made on the spot (...)"
    grounding_text: str  # such as "{emotion}"
    digest: str  # SHA-256 of everything above, in hex

    @property
    def dimension(self) -> int:
        """Width h of the language model's embeddings."""
        return int(self.embeddings.shape[1])

    def for_labels(self, labels: Sequence[str]) -> torch.Tensor:
        """Return the prototypes of `labels` in their order, (L, h) float32.

        Raises CheckpointError for a label that these prototypes were not made with.
        """
        rows = {word: row for row, word in enumerate(self.words)}
        for label in labels:
            if label not in rows:
                raise CheckpointError(
                    f"There is no prototype of the label '{label}'.{nearest(label, self.words)} Known: "
                    f"{', '.join(self.words)}. Materialize projector/prototypes again, then projector/model."
                )
        return self.embeddings[[rows[label] for label in labels]]

    def centred(self) -> "Prototypes":
        """Return these with the mean over words subtracted, from the synonyms as well.

        Labels share a direction (BOS, the rest of the grounding text): without it cosines spread more.
        Raises SettingsError where there are fewer than two words.
        """
        if len(self.words) < 2:
            raise SettingsError(
                f"center_prototypes: one label ({', '.join(self.words)}) has no spread about its own mean. "
                "Set projector.center_prototypes to false."
            )
        mean = self.embeddings.mean(dim=0)
        synonyms = {word: rows - mean for word, rows in self.synonyms.items()}
        return with_digest(self.words, self.embeddings - mean, synonyms, self.language_model, self.grounding_text)


def with_digest(
    words: Sequence[str],
    embeddings: torch.Tensor,
    synonyms: Mapping[str, torch.Tensor],
    language_model: str,
    grounding_text: str,
) -> Prototypes:
    """Return Prototypes of the given parts, sealed with their digest."""
    hasher = hashlib.sha256(orjson.dumps([list(words), language_model, grounding_text, sorted(synonyms)]))
    for rows in [embeddings, *(synonyms[word] for word in sorted(synonyms))]:
        hasher.update(orjson.dumps(list(rows.shape)))
        hasher.update(rows.to(torch.float32).contiguous().numpy().tobytes())
    return Prototypes(tuple(words), embeddings, dict(synonyms), language_model, grounding_text, hasher.hexdigest())


def make_prototypes(
    words: Sequence[str],
    location: str | Path,
    tokenizer: str | Path | None = None,
    grounding_text: str = PLACE,
    synonyms: Mapping[str, Sequence[str]] | None = None,
    name: str | None = None,
) -> Prototypes:
    """Make the prototypes of `words`, and of the synonyms of those words, from a language model.

    `location` and `tokenizer` (where it is not the model's own) are folders or hub ids; `name` is what
    the model is called in what is written (default: its hub id, or its folder's name).
    Raises SettingsError for a grounding text without `{emotion}` or no words, LanguageModelError where the
    model can't be read or gives two labels the same direction.
    """
    chosen = {word: tuple((synonyms or {}).get(word, ())) for word in sorted(set(words))}
    texts = sorted({text for word, others in chosen.items() for text in (word, *others)})
    tokens = _tokenize(texts, tokenizer or location, grounding_text)
    means = _mean_rows(tokens, location)
    row = {text: index for index, text in enumerate(texts)}
    embeddings = means[[row[word] for word in chosen]]
    _refuse_unusable(tuple(chosen), embeddings, str(location))
    of_synonyms = _rows_of({word: others for word, others in chosen.items() if others}, row, means)
    return with_digest(tuple(chosen), embeddings, of_synonyms, name or find_files(location).name, grounding_text)


def token_table(
    words: Sequence[str],
    location: str | Path,
    tokenizer: str | Path | None = None,
    grounding_text: str = PLACE,
) -> pl.DataFrame:
    """Return what each word's prototype is the mean of: columns `word`, `tokens` and `ids`, a row a word."""
    distinct = sorted(set(words))
    found = _tokenize(distinct, tokenizer or location, grounding_text)
    columns = {
        "word": distinct,
        "tokens": [list(text.tokens) for text in found],
        "ids": [list(text.ids) for text in found],
    }
    return pl.DataFrame(columns, schema={"word": pl.String, "tokens": pl.List(pl.String), "ids": pl.List(pl.Int64)})


def write_prototypes(store: Store, prototypes: Prototypes, key_prefix: str = FOLDER) -> str:
    """Write `prototypes.safetensors`, then `prototypes.json` with the digest; return the latter's key."""
    tensors = {f"synonyms.{word}": rows.contiguous() for word, rows in prototypes.synonyms.items()}
    tensors["embeddings"] = prototypes.embeddings.contiguous()
    store.write_bytes(f"{key_prefix}/prototypes.safetensors", save_tensors(tensors))
    key = f"{key_prefix}/prototypes.json"
    store.write_json(
        key,
        {
            "words": list(prototypes.words),
            "synonyms": sorted(prototypes.synonyms),
            "dimension": prototypes.dimension,
            "language_model": prototypes.language_model,
            "grounding_text": prototypes.grounding_text,
            "digest": prototypes.digest,
        },
    )
    return key


def read_prototypes(store: Store, key_prefix: str = FOLDER) -> Prototypes:
    """Read what `write_prototypes` wrote. Raises CheckpointError where it is absent or damaged."""
    where = store.path(f"{key_prefix}/prototypes.json")
    mend = "Materialize projector/prototypes again, then projector/model."
    try:
        described = store.read_json(f"{key_prefix}/prototypes.json")
        tensors = load_tensors(store.read_bytes(f"{key_prefix}/prototypes.safetensors"))
        prototypes, expected = _reassemble(described, tensors), described["digest"]
    except (StoreError, SafetensorError) as exc:
        raise CheckpointError(f"The prototypes at {where} can't be read ({exc}). {mend}") from exc
    except (KeyError, TypeError) as exc:
        raise CheckpointError(f"{where} and its safetensors do not fit each other ({exc!r}). {mend}") from exc
    if prototypes.digest != expected:
        raise CheckpointError(
            f"{where} has the digest {expected}, its content {prototypes.digest}: "
            f"the pair is of two different runs, or damaged. {mend}"
        )
    return prototypes


def _reassemble(described: Any, tensors: dict[str, torch.Tensor]) -> Prototypes:
    return with_digest(
        described["words"],
        tensors["embeddings"],
        {word: tensors[f"synonyms.{word}"] for word in described["synonyms"]},
        described["language_model"],
        described["grounding_text"],
    )


def _tokenize(words: Sequence[str], location: str | Path, grounding_text: str) -> list[TextTokens]:
    if PLACE not in grounding_text:
        raise SettingsError(
            f"grounding_text is '{grounding_text}', without {PLACE}: every label would get one prototype. "
            f"Put {PLACE} where the label belongs, as in 'a scene evoking {PLACE} to viewers'."
        )
    if not words:
        raise SettingsError("There is no label to make a prototype of: the profile's datasets have no taxonomy.")
    return load_tokenizer(location).tokenize([grounding_text.replace(PLACE, word) for word in words])


def _mean_rows(texts: Sequence[TextTokens], location: str | Path) -> torch.Tensor:
    """Return the mean embedding of each text's tokens, (T, h) float32."""
    rows = read_embedding_rows(location, [token for text in texts for token in text.ids])
    lengths = torch.tensor([len(text.ids) for text in texts])
    owner = torch.repeat_interleave(torch.arange(len(texts)), lengths)
    # Summed in float64: the mean must not hang on the order or the number of threads.
    sums = torch.zeros(len(texts), rows.shape[1], dtype=torch.float64).index_add_(0, owner, rows.double())
    return (sums / lengths[:, None]).float()


def _rows_of(
    texts_of: Mapping[str, tuple[str, ...]], row: Mapping[str, int], means: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Return each word's texts' rows of `means`, (k, h), in one gather for all words."""
    gathered = means[[row[text] for texts in texts_of.values() for text in texts]]
    parts = torch.split(gathered, [len(texts) for texts in texts_of.values()])
    return {word: part.clone() for word, part in zip(texts_of, parts, strict=True)}


def _refuse_unusable(words: tuple[str, ...], embeddings: torch.Tensor, location: str) -> None:
    """Raise LanguageModelError where a label has no direction, or two labels have the same one."""
    norms = embeddings.double().norm(dim=1)
    for word, norm in zip(words, norms.tolist(), strict=True):
        if not 0 < norm < float("inf"):
            raise LanguageModelError(
                f"The prototype of '{word}' from {location} has length {norm}: its embedding rows are empty "
                "or damaged. Use another language model, or download this one again."
            )
    unit = embeddings.double() / norms[:, None]
    same = (torch.triu(unit @ unit.T, diagonal=1) > 1 - SAME_DIRECTION).nonzero().tolist()
    if same:
        first, second = same[0]
        raise LanguageModelError(
            f"The labels '{words[first]}' and '{words[second]}' get the same prototype from "
            f"{location}, so no picture could be told to show one and not the other: its tokenizer "
            "does not know them. Use the model's own tokenizer, or another language model."
        )
