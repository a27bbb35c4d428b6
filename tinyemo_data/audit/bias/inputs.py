"""What the bias audit is given: audited pictures, training pictures, and the projector seen from outside."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyemo_data.audit.bias.pictures import Pictures, check_pictures
from tinyemo_data.audit.bias.retraining import Retrain, Similarities
from tinyemo_data.audit.bias.word_association import WordVectors
from tinyemo_data.errors import AuditError


@dataclass(frozen=True)
class BiasInputs:
    """One dataset's audited pictures (N) and the training pictures (M) of the projector, of E emotions.

    Audited pictures took no part in training. Both tables hold the same annotated attributes in the same order.
    """

    emotions: tuple[str, ...]
    audit: Pictures
    train: Pictures
    similarities: Similarities  # (S, N, E): cosines of the audited projector, a seed a row
    prototypes: npt.NDArray[np.floating]  # (E, h)
    dataset_digest: str  # of the audited pictures
    model_digest: str
    embeddings: npt.NDArray[np.floating] | None = None  # (N, h): projected, of unit length, mean over seeds
    retrain: Retrain | None = None  # None: the contrast is left out
    words: WordVectors | None = None


def check_inputs(inputs: BiasInputs) -> None:
    """Raise AuditError where parts do not fit together, naming the attribute, the class or the picture."""
    if len(inputs.emotions) < 2:
        raise AuditError(f"An audit needs two emotions or more, found {', '.join(inputs.emotions) or 'none'}.")
    for pictures, part in ((inputs.audit, "audited"), (inputs.train, "training")):
        check_pictures(pictures, inputs.emotions, part)
    if len(set(inputs.audit.labels.tolist())) < 2:
        only = inputs.emotions[inputs.audit.labels[0]]
        raise AuditError(f"All audited pictures are of '{only}': effects are told on pictures of other emotions.")
    seen = set(inputs.train.sample_ids).intersection(inputs.audit.sample_ids)
    if seen:
        raise AuditError(
            f"{len(seen)} audited pictures were trained on, first '{min(seen)}'. Audit a split that was not."
        )
    ours, theirs = inputs.audit.attributes.names, inputs.train.attributes.names
    if ours != theirs:
        odd = next(iter(sorted(set(ours) ^ set(theirs))), "their order")
        raise AuditError(f"Audited and training pictures have other attributes: {odd}. Cut both from one table.")
    check_similarities(inputs.similarities, inputs)
    _check_shapes(inputs)


def check_similarities(similarities: Similarities, inputs: BiasInputs) -> None:
    """Raise AuditError for similarities that are not (S, N, E) finite numbers."""
    expected = (len(inputs.audit), len(inputs.emotions))
    if similarities.ndim != 3 or similarities.shape[1:] != expected or not len(similarities):
        raise AuditError(f"Expected similarities (seeds, {expected[0]}, {expected[1]}), found {similarities.shape}.")
    broken = np.argwhere(~np.isfinite(similarities))
    if len(broken):
        seed, row, e = broken[0]
        raise AuditError(
            f"The similarity of picture '{inputs.audit.sample_ids[row]}' to '{inputs.emotions[e]}' is "
            f"{similarities[seed, row, e]} under seed number {seed}. Train the projector again."
        )
    if float(np.ptp(similarities)) == 0:
        raise AuditError("All similarities are equal: the projector tells no picture apart. Train it again.")


def _check_shapes(inputs: BiasInputs) -> None:
    count = len(inputs.emotions)
    if len(inputs.prototypes) != count:
        raise AuditError(f"Expected {count} prototypes, one an emotion; found {len(inputs.prototypes)}.")
    width = inputs.prototypes.shape[1]
    if inputs.embeddings is not None and inputs.embeddings.shape != (len(inputs.audit), width):
        raise AuditError(
            f"Expected projected embeddings ({len(inputs.audit)}, {width}), found {inputs.embeddings.shape}."
        )
