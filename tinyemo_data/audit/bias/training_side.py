"""What the training labels say: associations of every pair, and the weights that undo them."""

from dataclasses import dataclass

from tinyemo_data.audit.bias.adjusted_association import AdjustedAssociation, adjust
from tinyemo_data.audit.bias.association import Association, associate
from tinyemo_data.audit.bias.attributes import Flags, Floats
from tinyemo_data.audit.bias.design import Design
from tinyemo_data.audit.bias.pictures import Pictures
from tinyemo_data.audit.bias.raking import Raking, rake
from tinyemo_data.audit.bias.settings import BiasSettings
from tinyemo_data.audit.bias.support import NotTestable, count_support, counts_of, explain_thin


@dataclass(frozen=True)
class TrainingSide:
    """Figures (E, p) of the training pictures."""

    present: Floats  # pictures of e with a
    absent: Floats
    testable: Flags  # all four cells have the support
    association: Association
    adjusted: AdjustedAssociation
    raking: Raking
    not_testable: list[NotTestable]


def measure_training(train: Pictures, emotions: tuple[str, ...], settings: BiasSettings) -> TrainingSide:
    """Measure the associations of every attribute and emotion, and rake the weights."""
    classes, least = len(emotions), settings.min_support
    support = count_support(train, classes)
    own, elsewhere = support.thin(least), support.elsewhere().thin(least)
    testable = ~(own | elsewhere)
    names, values = train.attributes.names, train.attributes.values
    reasons = [
        *explain_thin(support, own, names, emotions, "association", "among training pictures of {emotion}", least),
        *explain_thin(
            support.elsewhere(), elsewhere & ~own, names, emotions, "association",
            "among training pictures of other emotions than {emotion}", least,
        ),
    ]  # fmt: skip
    present, absent = counts_of(train.labels, values, classes)
    return TrainingSide(
        present,
        absent,
        testable,
        associate(present, absent, settings.odds_ratio),
        adjust(Design(train, classes), testable, settings.odds_ratio),
        rake(train.labels, values, ~own, settings.raking_passes),
        reasons,
    )
