"""What is told of flagged pairs alone: bootstrap intervals, the permutation's check, ranks and pictures to look at."""

import numpy as np

from tinyemo_data.audit.bias.attributes import Floats
from tinyemo_data.audit.bias.bootstrap import bootstrap_intervals
from tinyemo_data.audit.bias.evidence import Evidence, gather_evidence
from tinyemo_data.audit.bias.findings import slice_id
from tinyemo_data.audit.bias.inputs import BiasInputs
from tinyemo_data.audit.bias.pair_scores import PairScores, pair_scores
from tinyemo_data.audit.bias.permutation import permutation_p
from tinyemo_data.audit.bias.picture_side import PictureSide
from tinyemo_data.audit.bias.pictures import Pictures
from tinyemo_data.audit.bias.ranking import rank
from tinyemo_data.audit.bias.settings import BiasSettings

Columns = dict[str, Floats]
TOLD = ("d_boot_low", "d_boot_high", "contrast_boot_low", "contrast_boot_high", "p_permutation", "rank")


def add_verdicts(columns: Columns, sides: list[PictureSide], settings: BiasSettings) -> Columns:
    """Return the columns with those of flagged pairs beside them, NaN elsewhere."""
    shape = columns["flagged"].shape
    told = {name: np.full(shape, np.nan) for name in TOLD}
    for side in sides:
        _resample(side, columns["flagged"] == 1, told, settings)
    where = np.nonzero(columns["flagged"] == 1)
    lowest = np.where(np.isfinite(told["contrast_boot_low"]), told["contrast_boot_low"], told["d_boot_low"])
    told["rank"][where] = rank(lowest[where], columns["audit_with"][where])
    return columns | told


def evidence_of(inputs: BiasInputs, audit: Pictures, sides: list[PictureSide], columns: Columns) -> list[Evidence]:
    """Return the pictures to look at for each flagged pair, by rank, from those that it was tested on."""
    found: dict[int, Evidence] = {}
    for side in sides:
        pictures = audit.rows(side.rows)
        for e, column in np.argwhere(columns["flagged"] == 1):
            if column in side.tested:
                names = (pictures.attributes.names[column], inputs.emotions[e])
                name = slice_id(*names, inputs.dataset_digest, inputs.model_digest)
                place = int(columns["rank"][e, column])
                found[place] = gather_evidence(name, column, e, pictures, side.margin, side.predicted)
    return [found[place] for place in sorted(found)]


def _resample(side: PictureSide, flagged: np.ndarray, told: Columns, settings: BiasSettings) -> None:
    """Write the intervals and permutation p of the side's flagged pairs into `told`."""
    pairs = [
        (local, int(e)) for local, column in enumerate(side.columns) if column in side.tested
        for e in np.flatnonzero(flagged[:, column])
    ]  # fmt: skip
    if not pairs:
        return
    effects = side.reliance.effects
    scale = 1 / effects.deviations[0][:, None]
    margin = side.margin * scale
    model = pair_scores(side.design, pairs, margin, margin, effects.inverses, effects.all_coefficients[0] * scale)
    _write_intervals(side, model, ("d_boot_low", "d_boot_high"), told, settings)
    decisive, least = model, settings.delta_model
    if side.contrast is not None:
        contrast = side.contrast
        decisive = pair_scores(
            side.design, pairs, contrast.margin, contrast.plain, contrast.inverses, contrast.coefficients
        )
        _write_intervals(side, decisive, ("contrast_boot_low", "contrast_boot_high"), told, settings)
        least = settings.delta_contrast
    p = permutation_p(decisive, side.design.labels, least, settings.permutations, settings.seed)
    for score, value in zip(decisive, p, strict=True):
        told["p_permutation"][score.emotion, side.columns[score.attribute]] = value


def _write_intervals(
    side: PictureSide, scores: list[PairScores], names: tuple[str, str], told: Columns, settings: BiasSettings
) -> None:
    intervals = bootstrap_intervals(scores, side.design.groups, settings.bootstrap, settings.seed)
    for score, ends in zip(scores, intervals, strict=True):
        for name, end in zip(names, ends, strict=True):
            told[name][score.emotion, side.columns[score.attribute]] = end
