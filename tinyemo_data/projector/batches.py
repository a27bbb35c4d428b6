"""What training reads: all rows in memory, as tensors that a batch is indexed from."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
import torch
from torch import Tensor
from torch.nn import functional

from tinyemo_data import taxonomy
from tinyemo_data.errors import TrainingError
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector.prototypes import Prototypes


@dataclass(frozen=True)
class Vocabulary:
    """All labels that the taxonomies of a training set offer, and the texts that stand for them.

    A word that two taxonomies share has one number, so one prototype.
    """

    words: tuple[str, ...]  # W, sorted
    taxonomies: tuple[str, ...]  # sorted
    texts: Tensor  # (W + S, h) float32 of unit length: the words' prototypes, then the synonyms
    text_ids: Tensor  # (W + S,) int64: equal texts have equal numbers
    synonyms: Tensor  # (W, K) int64 into `texts`; a word's own row where it has fewer than K
    synonym_counts: Tensor  # (W,) int64
    candidates: Tensor  # (taxonomies, W) bool: the labels that a taxonomy has

    @property
    def prototypes(self) -> Tensor:
        """The words' embeddings, (W, h) of unit length."""
        return self.texts[: len(self.words)]


@dataclass(frozen=True)
class TrainingRows:
    """Rows to learn from or to look at, as tensors on one device."""

    # (N, d) float16 as cached: to widen a batch takes no longer than to copy it, and this is half the memory.
    features: Tensor
    labels: Tensor  # (N,) int64 into the vocabulary's words
    taxonomies: Tensor  # (N,) int64 into the vocabulary's taxonomies
    weights: Tensor | None = None  # (N,) float32 of mean 1: how much a row's loss counts; None: all alike

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, rows: Tensor) -> "TrainingRows":
        """Return the given rows, in the given order."""
        # `index_select` is twice as fast as `self.features[rows]`.
        features, labels, taxonomies = (
            part.index_select(0, rows) for part in (self.features, self.labels, self.taxonomies)
        )
        weights = None if self.weights is None else self.weights.index_select(0, rows)
        return TrainingRows(features, labels, taxonomies, weights)


def vocabulary(taxonomies: Sequence[str], prototypes: Prototypes) -> Vocabulary:
    """Collect the labels of `taxonomies` with their prototypes and synonyms.

    Raises SettingsError for an unknown taxonomy, CheckpointError for a label without a prototype.
    """
    names = tuple(sorted(set(taxonomies)))
    labels = {name: taxonomy.get(name).labels for name in names}
    words = tuple(sorted({label for name in names for label in labels[name]}))
    texts = [prototypes.for_labels(words)]
    counts = torch.tensor([len(prototypes.synonyms.get(word, ())) for word in words])
    synonyms = torch.arange(len(words))[:, None].repeat(1, max(int(counts.max()), 1))
    following = len(words)
    for number, word in enumerate(words):
        if counts[number]:
            texts.append(prototypes.synonyms[word])
            synonyms[number, : counts[number]] = torch.arange(following, following + int(counts[number]))
            following += int(counts[number])
    rows = torch.cat(texts).float()
    offered = torch.tensor([[word in labels[name] for word in words] for name in names])
    text_ids = torch.unique(rows, dim=0, return_inverse=True)[1]
    return Vocabulary(words, names, functional.normalize(rows, dim=1), text_ids, synonyms, counts, offered)


def training_rows(labelled: LabelledFeatures, known: Vocabulary) -> TrainingRows:
    """Turn checked rows into tensors. Raises TrainingError for a label outside its row's taxonomy."""
    word_numbers = {word: number for number, word in enumerate(known.words)}
    taxonomy_numbers = {name: number for number, name in enumerate(known.taxonomies)}
    taxonomies = torch.tensor([taxonomy_numbers[name] for name in labelled.taxonomies])
    labels = torch.tensor([word_numbers.get(emotion, -1) for emotion in labelled.emotions])
    foreign = (labels < 0) | ~known.candidates[taxonomies, labels.clamp(min=0)]
    if bool(foreign.any()):
        row = int(foreign.nonzero()[0])
        name = labelled.taxonomies[row]
        raise TrainingError(
            f"Row '{labelled.sample_ids[row]}' has the label '{labelled.emotions[row]}', which its taxonomy "
            f"{name} does "
            f"not have: expected one of {', '.join(taxonomy.get(name).labels)}. Materialize its samples/* "
            "asset again."
        )
    return TrainingRows(labelled.features, labels, taxonomies)


def check_trainable(labelled: LabelledFeatures) -> None:
    """Raise TrainingError for rows that can't be learnt from: none, one class, ragged, or not finite."""
    count = len(labelled)
    if count == 0:
        raise TrainingError(
            "There are no rows to train on. Materialize features/* of the datasets in projector.train_on; "
            "their train split must have labelled rows."
        )
    columns: Mapping[str, Sequence[str]] = {
        "sha256": labelled.sha256,
        "datasets": labelled.datasets,
        "taxonomies": labelled.taxonomies,
        "emotions": labelled.emotions,
    }
    ragged = [f"{len(values)} {name}" for name, values in columns.items() if len(values) != count]
    if labelled.features.ndim != 2 or len(labelled.features) != count or ragged:
        raise TrainingError(
            "Expected features (N, D) with one label a row; found a tensor of shape "
            f"{tuple(labelled.features.shape)} "
            f"for {count} sample ids{''.join(', ' + part for part in ragged)}. Materialize features/* again."
        )
    if len(set(labelled.emotions)) < 2:
        raise TrainingError(
            f"All {count} training rows have the label '{labelled.emotions[0]}': there is nothing to tell "
            "apart. Train on a dataset with two labels or more (projector.train_on)."
        )
    finite = torch.isfinite(labelled.features).all(dim=1)
    if not bool(finite.all()):
        row = int((~finite).nonzero()[0])
        raise TrainingError(
            f"Features hold NaN or infinity in {int((~finite).sum())} of {count} rows, first in "
            f"'{labelled.sample_ids[row]}'. Delete the features of its dataset {labelled.datasets[row]} "
            "from the store and materialize them again, with encoder.precision fp32 if they overflowed."
        )


def digest_of_data(labelled: LabelledFeatures) -> str:
    """Return the SHA-256, in hex, of the rows in their order: ids, labels and feature values."""
    columns = [
        labelled.sample_ids,
        labelled.sha256,
        labelled.datasets,
        labelled.taxonomies,
        labelled.emotions,
    ]
    hasher = hashlib.sha256(orjson.dumps([columns, list(labelled.features.shape), str(labelled.features.dtype)]))
    hasher.update(labelled.features.contiguous().numpy().tobytes())
    return hasher.hexdigest()


def batches_of(rows: int, batch_size: int) -> int:
    """Return into how many batches of nearly equal size `rows` are cut, none of them over `batch_size`.

    Batch normalisation has no variance in a batch of one: rather than that, a batch is one row too large.
    """
    return max(min(-(-rows // batch_size), rows // 2), 1)


def epoch_order(labels: Tensor, class_balancing: bool, generator: torch.Generator) -> Tensor:
    """Return the rows of one epoch, (N,) int64: a permutation, or (`class_balancing`) N balanced draws.

    Balanced draws, with replacement, weight a row by the inverse of its class's frequency: every class is as
    likely as the next.
    """
    if not class_balancing:
        return torch.randperm(len(labels), generator=generator)
    weights = 1.0 / torch.bincount(labels).double()[labels]
    return torch.multinomial(weights, len(labels), replacement=True, generator=generator)


def drawn_texts(labels: Tensor, known: Vocabulary, probability: float, generator: torch.Generator) -> Tensor:
    """Return each row's text, (N,) int64 into `known.texts`: its label, or with `probability` a synonym."""
    if probability == 0:
        return labels
    replaced = torch.rand(len(labels), generator=generator) < probability
    counts = known.synonym_counts[labels]
    which = (torch.rand(len(labels), generator=generator) * counts).long().clamp(max=known.synonyms.shape[1] - 1)
    return torch.where(replaced & (counts > 0), known.synonyms[labels, which], labels)
