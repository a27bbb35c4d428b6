"""The audit's inputs out of a trained ensemble, labelled features and a frame of attributes."""

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from torch.nn import functional

from tinyemo_data import taxonomy
from tinyemo_data.audit.bias.attributes import Integers, attribute_table
from tinyemo_data.audit.bias.inputs import BiasInputs
from tinyemo_data.audit.bias.pictures import Pictures, group_numbers
from tinyemo_data.audit.bias.retraining import Retraining, retrainer
from tinyemo_data.audit.bias.word_association import WordVectors
from tinyemo_data.errors import AuditError
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector.ensemble import ROWS_AT_ONCE, ProjectorEnsemble


def gather_inputs(
    ensemble: ProjectorEnsemble,
    train: LabelledFeatures,
    audited: LabelledFeatures,
    attributes: pl.DataFrame,
    groups: pl.DataFrame,
    dataset_digest: str,
    retraining: Retraining | None = None,
    words: WordVectors | None = None,
    captions: Mapping[str, Collection[str]] | None = None,
) -> BiasInputs:
    """Return the inputs for auditing `ensemble` on `audited`, pictures of one taxonomy.

    `train` is all that the ensemble learnt from; its rows of other taxonomies are learnt from again but not
    weighted. `attributes` holds `sample_id` and a Boolean column an attribute, for the audited pictures and for
    the training pictures of their taxonomy; `groups` the image groups (`audit.groups.group_of_samples`);
    `captions` the words of captions by sample id, of some pictures or all. Without `retraining` there is no
    contrast. Raises AuditError for pictures of several taxonomies.
    """
    names = sorted(set(audited.taxonomies))
    if len(names) != 1:
        raise AuditError(f"Audited pictures must be of one taxonomy, found {', '.join(names) or 'no picture'}.")
    emotions = taxonomy.get(names[0]).labels
    rows: Integers = np.array([row for row, name in enumerate(train.taxonomies) if name == names[0]], dtype=np.int64)
    retrain = None
    if retraining is not None:
        retrain = retrainer(train, rows, retraining, audited.features, emotions)
    return BiasInputs(
        emotions,
        _pictures(audited, emotions, attributes, groups, captions),
        _pictures(train.select(rows.tolist()), emotions, attributes, groups, captions),
        ensemble.similarities(audited.features, emotions).numpy(),
        ensemble.prototypes.for_labels(emotions).numpy(),
        dataset_digest,
        ensemble.digest,
        _mean_embeddings(ensemble, audited.features),
        retrain,
        words,
    )


def _pictures(
    labelled: LabelledFeatures,
    emotions: tuple[str, ...],
    attributes: pl.DataFrame,
    groups: pl.DataFrame,
    captions: Mapping[str, Collection[str]] | None,
) -> Pictures:
    told = None
    if captions is not None:
        told = tuple(frozenset(captions[one]) if one in captions else None for one in labelled.sample_ids)
    return Pictures(
        tuple(labelled.sample_ids),
        np.array([emotions.index(emotion) for emotion in labelled.emotions], dtype=np.int64),
        group_numbers(labelled.sample_ids, groups),
        attribute_table(attributes, labelled.sample_ids),
        labelled.features.numpy(),
        told,
    )


@torch.no_grad()
def _mean_embeddings(ensemble: ProjectorEnsemble, features: torch.Tensor) -> npt.NDArray[np.float32]:
    """Return the mean over seeds of the projections of unit length, (N, h)."""
    found = np.empty((len(features), ensemble.projectors[0].h), dtype=np.float32)
    for start in range(0, len(features), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        each = [functional.normalize(projector(features[part]), dim=1) for projector in ensemble.projectors]
        found[part] = torch.stack(each).mean(dim=0).numpy()
    return found
