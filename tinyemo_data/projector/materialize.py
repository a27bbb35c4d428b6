"""The projector over a store: prototypes from the language model, then training or import, into a checkpoint."""

import statistics
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from torch.nn import functional

from tinyemo_data import taxonomy
from tinyemo_data.features.gather import feature_size, training_features
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.progress import Meter, Report
from tinyemo_data.projector.checkpoint import (
    Provenance,
    save_checkpoint,
    trained_from,
    training_metrics,
)
from tinyemo_data.projector.ensemble import ProjectorEnsemble
from tinyemo_data.projector.language_model import chosen_language_model
from tinyemo_data.projector.prototypes import (
    Prototypes,
    make_prototypes,
    read_prototypes,
    token_table,
    write_prototypes,
)
from tinyemo_data.projector.seeds import TrainedEnsemble, fingerprint_of, forget_other_seeds, train_ensemble
from tinyemo_data.projector.selection import Selection, choose
from tinyemo_data.projector.weights import import_weights, rows_of_checkpoint
from tinyemo_data.settings import ProjectorSettings, Settings
from tinyemo_data.store import Store


@dataclass(frozen=True)
class MadePrototypes:
    """The prototypes of all labels, how each label was cut into tokens, and how like each other they are."""

    prototypes: Prototypes
    tokens: pl.DataFrame  # word, tokens, ids
    similarity: npt.NDArray[np.float32]  # (W, W) cosine


@dataclass(frozen=True)
class MadeProjector:
    """The projector in the store, and what there is to tell of it."""

    ensemble: ProjectorEnsemble
    config: dict[str, Any]
    metrics: dict[str, Any]
    not_at_hand: list[str]  # datasets that were to be learnt from and have no features in the store
    comparison: pl.DataFrame | None  # of candidates, where the settings name some
    seconds: float


def materialize_prototypes(store: Store, settings: Settings, grounding_text: str) -> MadePrototypes:
    """Make the prototypes of every label of every taxonomy and write them. Raises LanguageModelError."""
    with chosen_language_model(settings, store) as language_model:
        words = all_labels()
        synonyms = {word: taxonomy.synonyms(word) for word in words}
        where = (language_model.location, language_model.tokenizer, grounding_text)
        prototypes = make_prototypes(words, *where, synonyms, language_model.name)
        tokens = token_table(words, *where)
    write_prototypes(store, prototypes)
    return MadePrototypes(prototypes, tokens, similarity(prototypes))


def all_labels() -> tuple[str, ...]:
    """Return the labels of all taxonomies, unique and sorted."""
    return tuple(sorted({label for name in taxonomy.names() for label in taxonomy.get(name).labels}))


def similarity(prototypes: Prototypes) -> npt.NDArray[np.float32]:
    """Return the cosine similarity of every two prototypes, (W, W)."""
    unit = functional.normalize(prototypes.embeddings, dim=1)
    cosine: npt.NDArray[np.float32] = (unit @ unit.T).numpy()
    return cosine


def closest_pair(prototypes: Prototypes) -> tuple[str, str, float]:
    """Return the two labels whose prototypes are most alike, and their cosine."""
    cosine = np.tril(similarity(prototypes), k=-1)
    row, column = np.unravel_index(np.argmax(cosine), cosine.shape)
    return prototypes.words[column], prototypes.words[row], float(cosine[row, column])


def materialize_projector(
    store: Store, slug: str, settings: ProjectorSettings, report: Report | None = None
) -> MadeProjector:
    """Train the projector on the train splits at hand, or import settings.checkpoint, and write the checkpoint.

    `slug` names the encoder whose features are read. Raises StoreError, TrainingError or CheckpointError.
    """
    began = time.perf_counter()
    prototypes = read_prototypes(store)
    if settings.checkpoint:
        ensemble = import_weights(settings.checkpoint, prototypes, settings, feature_size(store, slug))
        provenance = Provenance(
            slug, prototypes.digest, rows=rows_of_checkpoint(settings.checkpoint), imported_from=settings.checkpoint
        )
        config = save_checkpoint(store, ensemble, settings, provenance, {})
        return MadeProjector(ensemble, config, {}, [], None, time.perf_counter() - began)
    labelled, _, missing = training_features(store, slug, settings.train_on)
    selection = choose(labelled, prototypes, settings)
    trained = _train(store, labelled, prototypes, selection.settings, report)
    metrics = _metrics(labelled, trained, selection)
    provenance = trained_from(labelled, trained, slug, prototypes)
    config = save_checkpoint(store, trained.ensemble, selection.settings, provenance, metrics)
    forget_other_seeds(store, fingerprint_of(selection.settings, trained.data_digest, prototypes))
    comparison = pl.DataFrame(selection.as_rows(), strict=False) if selection.table else None
    return MadeProjector(trained.ensemble, config, metrics, missing, comparison, time.perf_counter() - began)


def _train(
    store: Store,
    labelled: LabelledFeatures,
    prototypes: Prototypes,
    settings: ProjectorSettings,
    report: Report | None,
) -> TrainedEnsemble:
    meter = Meter(len(settings.seeds) * settings.epochs, report)
    return train_ensemble(labelled, prototypes, settings, store, lambda *_: meter.advance(1))


def _metrics(labelled: LabelledFeatures, trained: TrainedEnsemble, selection: Selection) -> dict[str, Any]:
    """Return what metrics.json holds: the course of every seed, and how it did on what train held out."""
    best = [course.log[course.best_epoch - 1] for course in trained.courses]
    return {
        "seeds": training_metrics(trained),
        "candidates": selection.as_rows(),
        "held_out_of_train": {
            "top1": statistics.fmean(log.validation_top1 for log in best),
            "largest_class": _largest_class(labelled),
        },
    }


def _largest_class(labelled: LabelledFeatures) -> float:
    """Return the accuracy of saying each taxonomy's most frequent label, 0 to 1."""
    counts = Counter(zip(labelled.taxonomies, labelled.emotions, strict=True))
    largest: Counter[str] = Counter()
    for (name, _), count in counts.items():
        largest[name] = max(largest[name], count)
    return largest.total() / len(labelled)
