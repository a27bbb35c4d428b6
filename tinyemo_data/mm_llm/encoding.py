"""From conversations to token ids and to the marks of what is learnt: answers and the tokens that end them.

A sample is learnt from as `chat.ChatFormat` writes it; the image token stands for all patches of its picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyemo_data.errors import MMLLMError
from tinyemo_data.mm_llm.chat import IMAGE, ChatFormat, chat_format
from tinyemo_data.mm_llm.conversation import Conversation

PART = 4096  # conversations that are tokenized at once
IGNORED = -100  # label of a token that is not learnt, as transformers' losses have it

Ids = npt.NDArray[np.int32]
Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Encoded:
    """Token ids of all conversations in one row, and which of them are learnt; `starts` has one entry more."""

    ids: Ids
    learnt: Marks
    starts: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, number: int) -> tuple[Ids, Marks]:
        """Return ids and marks of one conversation."""
        where = slice(self.starts[number], self.starts[number + 1])
        return self.ids[where], self.learnt[where]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each conversation."""
        return np.diff(self.starts)


def encode(conversations: Sequence[Conversation], tokenizer: Any, patches: int, context: int) -> Encoded:
    """Tokenize conversations; each image token becomes `patches` of them.

    Raises MMLLMError naming the record for one that is longer than `context` tokens, has nothing to learn, or holds
    a special token of the tokenizer in its text.
    """
    layout = chat_format(tokenizer)
    _refuse_special_tokens(conversations, tokenizer)
    found: list[tuple[Ids, Marks]] = []
    for start in range(0, len(conversations), PART):
        found += _encode_part(conversations[start : start + PART], tokenizer, layout, patches)
    lengths = np.array([len(ids) for ids, _ in found], dtype=np.int64)
    _refuse_long_ones(conversations, lengths, patches, context)
    for conversation, (_, learnt) in zip(conversations, found, strict=True):
        if not learnt.any():
            raise MMLLMError(f"Record {conversation.record_id} has no token to learn from. Mend its answers.")
    return Encoded(
        np.concatenate([ids for ids, _ in found]), np.concatenate([learnt for _, learnt in found]),
        np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]),
    )  # fmt: skip


def context_of(config: Any, wanted: int | None) -> int:
    """Return how many tokens a record may have: what the backbone takes, or `wanted` where that is less."""
    longest = getattr(config.get_text_config(), "max_position_embeddings", None) or wanted or 2048
    return min(int(longest), wanted or int(longest))


def _encode_part(
    part: Sequence[Conversation], tokenizer: Any, layout: ChatFormat, patches: int
) -> list[tuple[Ids, Marks]]:
    rendered = [layout.render(conversation.turns) for conversation in part]
    encodings = tokenizer.backend_tokenizer.encode_batch([text for text, _ in rendered], add_special_tokens=False)
    image = tokenizer.convert_tokens_to_ids(IMAGE)
    return [
        _expand(np.array(encoding.ids, dtype=np.int32), _marks(encoding.offsets, spans), image, patches)
        for encoding, (_, spans) in zip(encodings, rendered, strict=True)
    ]


def _marks(offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]) -> Marks:
    """Mark tokens that overlap a span of characters."""
    places = np.array(offsets, dtype=np.int64).reshape(-1, 2)
    marks = np.zeros(len(places), dtype=bool)
    for start, end in spans:
        marks |= (places[:, 0] < end) & (places[:, 1] > start)
    return marks


def _expand(ids: Ids, marks: Marks, image: int, patches: int) -> tuple[Ids, Marks]:
    repeats = np.where(ids == image, patches, 1)
    return np.repeat(ids, repeats), np.repeat(marks, repeats)


def _refuse_special_tokens(conversations: Sequence[Conversation], tokenizer: Any) -> None:
    special = [token for token in tokenizer.all_special_tokens if token != IMAGE]
    for conversation in conversations:
        for text in (text for turn in conversation.turns for text in turn):
            found = next((token for token in special if token in text), None)
            if found is not None:
                raise MMLLMError(
                    f"Record {conversation.record_id} holds {found!r}, which ends or begins text for this backbone's "
                    "tokenizer. Take it out of the record."
                )


def _refuse_long_ones(
    conversations: Sequence[Conversation], lengths: npt.NDArray[np.int64], patches: int, context: int
) -> None:
    long = np.flatnonzero(lengths > context)
    if len(long):
        longest = int(long[np.argmax(lengths[long])])
        raise MMLLMError(
            f"{len(long)} of {len(lengths)} records are longer than the {context} tokens that the backbone takes "
            f"(mm_llm.context); the longest, {conversations[longest].record_id}, has {lengths[longest]}, {patches} of "
            "them its picture's. A cut record could lose its answer: take a backbone of longer context, a vision "
            "tower of fewer patches, or shorter answers (synthesis.max_tokens)."
        )
