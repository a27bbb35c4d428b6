"""Candidates that the predictions suggest, from the discovery half of the audited pictures."""

from dataclasses import replace

import numpy as np

from tinyemo_data.audit.bias.attributes import UNKNOWN, AttributeTable, Flags
from tinyemo_data.audit.bias.caption_words import propose_words, word_table
from tinyemo_data.audit.bias.inputs import BiasInputs
from tinyemo_data.audit.bias.latent_slices import find_latent_slices
from tinyemo_data.audit.bias.margins import predictions
from tinyemo_data.audit.bias.pictures import Pictures
from tinyemo_data.audit.bias.settings import BiasSettings
from tinyemo_data.errors import AuditError


def with_proposals(inputs: BiasInputs, discovery: Flags, settings: BiasSettings) -> tuple[Pictures, Pictures]:
    """Return the audited and the training pictures with the proposed attributes beside the annotated ones.

    `discovery` (N,) tells which audited pictures may be looked at. Training pictures without captions or features
    have the proposals unknown: such pairs have no contrast.
    """
    audit, train = inputs.audit, inputs.train
    rows = np.flatnonzero(discovery)
    predicted = predictions(inputs.similarities)[rows]
    if audit.captions is not None and settings.caption_words:
        told = [audit.captions[row] for row in rows]
        classes, count, least = len(inputs.emotions), settings.caption_words, settings.min_support
        words = propose_words(told, audit.labels[rows], predicted, classes, count, least)
        audit = _beside(audit, word_table(audit.captions, words))
        of_train = train.captions if train.captions is not None else (None,) * len(train)
        train = _beside(train, word_table(of_train, words))
    if settings.latent_slices:
        if audit.features is None:
            raise AuditError("audit.latent_slices needs the audited pictures' features. Give them, or set it to 0.")
        slices = find_latent_slices(
            audit.features[rows], audit.labels[rows], predicted, len(inputs.emotions), settings.latent_slices,
            settings.seed,
        )  # fmt: skip
        of_audit = slices.table(audit.features)
        audit = _beside(audit, of_audit)
        train = _beside(
            train, slices.table(train.features) if train.features is not None else _unknown(of_audit, train)
        )
    return audit, train


def _beside(pictures: Pictures, proposed: AttributeTable) -> Pictures:
    return replace(pictures, attributes=pictures.attributes.beside(proposed))


def _unknown(table: AttributeTable, pictures: Pictures) -> AttributeTable:
    return replace(table, values=np.full((len(pictures), len(table.names)), UNKNOWN, dtype=np.int8))
