"""What the audited pictures say of some attributes: reliance, suppression, contrast, and the rest that is told.

Annotated attributes are tested on all audited pictures. Attributes that were guessed from the predictions are tested
on the confirmation half alone, beside the annotated ones.
"""

from dataclasses import dataclass, replace

import numpy as np

from tinyemo_data.audit.bias.amplification import Amplification, amplification
from tinyemo_data.audit.bias.attributes import Flags, Floats, Integers
from tinyemo_data.audit.bias.contrast import Contrast, measure_contrast
from tinyemo_data.audit.bias.design import Design
from tinyemo_data.audit.bias.geometry import attribute_directions, cosines_to_prototypes
from tinyemo_data.audit.bias.inputs import BiasInputs
from tinyemo_data.audit.bias.mantel_haenszel import RiskDifference, risk_difference
from tinyemo_data.audit.bias.margins import mean_margins, predictions
from tinyemo_data.audit.bias.pictures import Pictures
from tinyemo_data.audit.bias.reliance import Reliance, measure_reliance, with_patterns
from tinyemo_data.audit.bias.retraining import Similarities
from tinyemo_data.audit.bias.settings import BiasSettings
from tinyemo_data.audit.bias.support import NotTestable, Support, count_support, explain_thin
from tinyemo_data.audit.bias.training_side import TrainingSide


@dataclass(frozen=True)
class PictureSide:
    """Figures (E, p) of the attributes of one design."""

    columns: list[int]  # (p,) of all candidates: those in the design
    tested: list[int]  # of all candidates: those that the design is there for
    rows: Integers  # of the audited pictures
    design: Design
    margin: Floats  # (E, n), mean over seeds
    predicted: Integers  # (n,)
    support: Support  # of pictures of other emotions
    reliance: Reliance
    suppression: Reliance
    contrast: Contrast | None
    risk: RiskDifference
    amplification: Amplification
    cosines: Floats
    not_testable: list[NotTestable]


def measure_pictures(
    inputs: BiasInputs,
    pictures: Pictures,
    rows: Integers,
    columns: list[int],
    tested: list[int],
    training: TrainingSide,
    retrained: tuple[Similarities, Similarities] | None,
    settings: BiasSettings,
) -> PictureSide:
    """Measure the candidates `columns` of `pictures`, which are `rows` of the audited ones.

    `training` has all candidates; `retrained` holds the similarities of all audited pictures under the
    plain and under the raked weights.
    """
    classes, least = len(inputs.emotions), settings.min_support
    pictures = replace(pictures, attributes=pictures.attributes.columns(columns))
    design = Design(pictures, classes)
    own = count_support(pictures, classes)
    elsewhere = own.elsewhere()
    enough, enough_own = ~elsewhere.thin(least), ~own.thin(least)
    similarities = inputs.similarities[:, rows]
    margin, predicted = mean_margins(similarities), predictions(similarities)
    reliance = measure_reliance(design, margin, enough, settings.delta_model)
    suppression = measure_reliance(design, margin, enough_own, settings.delta_model, own_class=True)
    contrast = None
    if retrained is not None:
        plain, raked = (each[:, rows] for each in retrained)
        contrast = measure_contrast(design, plain, raked, enough, settings.delta_contrast)
    values = pictures.attributes.values
    present, absent = training.present[:, columns], training.absent[:, columns]
    tested_names = {pictures.attributes.names[columns.index(column)] for column in tested}
    reasons = _reasons(pictures, inputs.emotions, own, (reliance, suppression), least)
    return PictureSide(
        columns,
        tested,
        rows,
        design,
        margin,
        predicted,
        elsewhere,
        reliance,
        suppression,
        contrast,
        risk_difference(pictures.labels, predicted, values, classes),
        amplification(pictures.labels, similarities, values, present, absent),
        _cosines(inputs, design, rows, enough),
        [reason for reason in reasons if reason.attribute in tested_names],
    )


def _cosines(inputs: BiasInputs, design: Design, rows: Integers, enough: Flags) -> Floats:
    if inputs.embeddings is None:
        return np.full(enough.shape, np.nan)
    taken: Flags = np.logical_or.reduce(with_patterns(design, enough, own_class=False))
    return cosines_to_prototypes(attribute_directions(design, inputs.embeddings[rows], taken), inputs.prototypes)


def _reasons(
    pictures: Pictures, emotions: tuple[str, ...], own: Support, both: tuple[Reliance, Reliance], least: int
) -> list[NotTestable]:
    """Say of which pairs the two effects can't be told."""
    names = pictures.attributes.names
    places = ("among audited pictures of other emotions than {emotion}", "among audited pictures of {emotion}")
    found = []
    for support, effect, statistic, where in zip(
        (own.elsewhere(), own), both, ("reliance", "suppression"), places, strict=True
    ):
        found += explain_thin(support, support.thin(least), names, emotions, statistic, where, least)
        found += [
            NotTestable(names[a], emotions[e], statistic, "it is a combination of the other attributes there")
            for e, a in np.argwhere(effect.effects.dependent)
        ]
    return found
