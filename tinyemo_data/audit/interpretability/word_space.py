"""The language model's words as points in the space that pictures are projected into.

A word is put where a label of that name would have its prototype: its embedding row takes the place of the label's
rows in the grounding text (with the start token, where there is one), and the prototypes' mean is subtracted where
training subtracted it. So a picture's cosine with a word is what `ProjectorEnsemble.similarities` would give, were
the word a label.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from tinyemo_data.audit.interpretability.nearest import Rows
from tinyemo_data.audit.interpretability.whole_words import WholeWords, whole_words
from tinyemo_data.errors import LanguageModelError
from tinyemo_data.projector.embedding_matrix import read_embedding_matrix, read_embedding_rows
from tinyemo_data.projector.label_tokenizer import load_tokenizer
from tinyemo_data.projector.language_model import LanguageModel
from tinyemo_data.projector.prototypes import PLACE, Prototypes, make_prototypes

ROWS_AT_ONCE = 2048
TINY = 1e-12  # a row of zeros stays one
SAME = 1e-3  # of a prototype's length: more than bfloat16 sums differ by, less than another model does


@dataclass(frozen=True)
class WordSpace:
    """Whole words, and how a point is made of each of their rows. The matrix stays memory-mapped."""

    words: WholeWords
    matrix: torch.Tensor  # (V, h) in its stored dtype
    frame: torch.Tensor  # (h,) float64: sum of the rows of the grounding text around the word
    frame_length: int  # tokens in that sum
    centre: torch.Tensor  # (h,) float64: what is subtracted; zero where prototypes are not centred
    labels: npt.NDArray[np.bool_]  # (n words,): which are labels of some taxonomy, whatever their case

    def __len__(self) -> int:
        return len(self.words)

    def points(self, numbers: Sequence[int] | npt.NDArray[np.int64]) -> Rows:
        """Return the points of words, given by their number, of length 1: (n, h) float32."""
        ids = torch.tensor([self.words.token_ids[number] for number in numbers], dtype=torch.long)
        # (row + frame) / n - centre, times n: of length 1 they are the same.
        shift = self.frame - (self.frame_length + 1) * self.centre
        rows = self.matrix[ids].float().add_(shift.float())
        unit: Rows = rows.div_(rows.norm(dim=1, keepdim=True).clamp_min_(TINY)).numpy()
        return unit

    def blocks(self) -> Iterator[tuple[int, Rows]]:
        """Give all words' points, block by block, each with the number of its first word."""
        for start in range(0, len(self), ROWS_AT_ONCE):
            yield start, self.points(range(start, min(start + ROWS_AT_ONCE, len(self))))


def open_word_space(language_model: LanguageModel, prototypes: Prototypes, used: Prototypes) -> WordSpace:
    """Return the words of the model that `prototypes` were made of; `used` are these as the projector takes them.

    Raises LanguageModelError where the model can't be read, is another one than that of the prototypes, or its
    tokenizer marks no whole words.
    """
    refuse_other_model(language_model, prototypes)
    location, where = language_model.location, language_model.tokenizer or language_model.location
    tokenizer = load_tokenizer(where)
    words = whole_words(tokenizer.vocabulary(), where)
    labels = [
        text.ids
        for text in tokenizer.tokenize([prototypes.grounding_text.replace(PLACE, word) for word in prototypes.words])
    ]
    before, after = _around(labels)
    frame = [*labels[0][:before], *labels[0][len(labels[0]) - after :]]
    # The last word's id has a row, or this says whose tokenizer it is.
    read_embedding_rows(location, words.token_ids[-1:])
    rows = read_embedding_rows(location, frame).double()
    centre = prototypes.embeddings.double().mean(dim=0) * float(used.digest != prototypes.digest)
    names = {word.casefold() for word in prototypes.words}
    return WordSpace(
        words,
        read_embedding_matrix(location),
        rows.sum(dim=0),
        len(frame),
        centre,
        np.array([word.casefold() in names for word in words.words]),
    )


def _around(texts: Sequence[tuple[int, ...]]) -> tuple[int, int]:
    """Return how many tokens all texts have in common before what differs, and after it."""
    shortest = min(len(text) for text in texts)
    before = next((at for at in range(shortest) if len({text[at] for text in texts}) > 1), shortest)
    left = shortest - before
    after = next((at for at in range(left) if len({text[-1 - at] for text in texts}) > 1), left)
    return before, after


def refuse_other_model(language_model: LanguageModel, prototypes: Prototypes) -> None:
    """Raise LanguageModelError where the model is not the one that the prototypes were made of."""
    known = prototypes.words[:1]
    made = make_prototypes(known, language_model.location, language_model.tokenizer, prototypes.grounding_text)
    found, expected = made.embeddings[0].double(), prototypes.embeddings[0].double()
    if found.shape != expected.shape or float((found - expected).norm()) > SAME * float(expected.norm()):
        raise LanguageModelError(
            f"The projector's prototypes are of {prototypes.language_model}; the embeddings of {language_model.name} "
            f"do not give them ('{known[0]}' lies elsewhere). Set TINYEMO_LANGUAGE_MODEL to the former, or materialize "
            "projector/prototypes and projector/model again."
        )
