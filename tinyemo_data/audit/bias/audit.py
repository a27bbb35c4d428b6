"""The bias audit as a whole: from inputs to findings, the same for the same inputs and settings."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tinyemo_data.audit.bias.attributes import Flags, Integers
from tinyemo_data.audit.bias.candidates import Candidates, choose_candidates
from tinyemo_data.audit.bias.findings import BiasFindings
from tinyemo_data.audit.bias.halves import discovery_half
from tinyemo_data.audit.bias.inputs import BiasInputs, check_inputs, check_similarities
from tinyemo_data.audit.bias.multiplicity import count_tests
from tinyemo_data.audit.bias.picture_side import PictureSide, measure_pictures
from tinyemo_data.audit.bias.pictures import Pictures
from tinyemo_data.audit.bias.proposals import with_proposals
from tinyemo_data.audit.bias.retraining import Similarities
from tinyemo_data.audit.bias.settings import BiasSettings
from tinyemo_data.audit.bias.slices import FAMILIES, Columns, lay_out, pair_columns
from tinyemo_data.audit.bias.support import NotTestable
from tinyemo_data.audit.bias.threads import threads_for
from tinyemo_data.audit.bias.training_side import TrainingSide, measure_training
from tinyemo_data.audit.bias.verdicts import add_verdicts, evidence_of
from tinyemo_data.errors import AuditError

Progress = Callable[[str], None]
SHOWN = 5  # reasons in an error's message


def audit_bias(
    inputs: BiasInputs, settings: BiasSettings | None = None, progress: Progress | None = None
) -> BiasFindings:
    """Test every (attribute, emotion) pair and return what was found.

    `progress` is told each step before it begins. Raises AuditError where the inputs do not fit together, or
    where no pair can be tested at all; pairs that can't be tested are listed with the reason.
    """
    settings, tell = settings or BiasSettings(), progress or (lambda _: None)
    check_inputs(inputs)
    tell("candidates")
    discovery = discovery_half(inputs.audit.labels, inputs.audit.groups, settings.seed)
    audit, train = with_proposals(inputs, discovery, settings)
    candidates = choose_candidates(audit.attributes, settings.merge_phi)
    audit, train = (_of_columns(pictures, candidates) for pictures in (audit, train))
    width = len(candidates.columns)
    tell("associations of the training labels")
    with threads_for(width):
        training = measure_training(train, inputs.emotions, settings)
    retrained = _retrain(inputs, training, tell)
    tell("effects on the audited pictures")
    with threads_for(width):
        sides = _measure_sides(inputs, audit, discovery, training, retrained, settings)
        columns = pair_columns(inputs, audit.attributes.names, training, sides, settings.q)
        _refuse_nothing_testable(columns, _reasons(candidates, training, sides))
        tell("intervals of flagged pairs")
        columns = add_verdicts(columns, sides, settings)
    return _findings(inputs, audit, discovery, candidates, training, sides, columns, settings)


def _findings(
    inputs: BiasInputs,
    audit: Pictures,
    discovery: Flags,
    candidates: Candidates,
    training: TrainingSide,
    sides: list[PictureSide],
    columns: Columns,
    settings: BiasSettings,
) -> BiasFindings:
    overall, raking = sides[0].amplification, training.raking
    contrasts = [side.contrast for side in sides if side.contrast is not None]
    return BiasFindings(
        slices=lay_out(inputs, audit.attributes.names, audit.attributes.tiers, columns, settings.q),
        not_testable=_reasons(candidates, training, sides),
        merged=candidates.merged,
        tests={family: count_tests(columns[p]) for family, (p, _, _) in FAMILIES.items()},
        decided_by="association and contrast" if contrasts else "association and reliance",
        settings=settings,
        pictures={
            "audited": len(audit),
            "discovery": int(discovery.sum()),
            "confirmation": int((~discovery).sum()),
            "training": len(raking.weights),
        },
        effective_share=raking.effective_share,
        largest_weight=raking.largest_weight,
        largest_difference=raking.largest_difference,
        seed_deviation=contrasts[0].seed_deviation if contrasts else None,
        amplification=(overall.overall, overall.low, overall.high),
        weights=raking.weights,
        evidence=evidence_of(inputs, audit, sides, columns),
    )


def _of_columns(pictures: Pictures, candidates: Candidates) -> Pictures:
    if not candidates.columns:
        raise AuditError(_nothing_testable(candidates.constant))
    return replace(pictures, attributes=pictures.attributes.columns(candidates.columns))


def _retrain(inputs: BiasInputs, training: TrainingSide, tell: Progress) -> tuple[Similarities, Similarities] | None:
    """Return the audited pictures' similarities under equal and under raked weights.

    None without a trainer, and where no pair has the support that a contrast needs.
    """
    if inputs.retrain is None or not training.testable.any():
        return None
    tell("training on equal and on raked weights")
    plain, raked = inputs.retrain(training.raking.weights)
    for similarities in (plain, raked):
        check_similarities(similarities, inputs)
    if len(plain) != len(raked):
        raise AuditError(f"Training gave {len(plain)} seeds as it is and {len(raked)} raked: they must be the same.")
    return plain, raked


def _measure_sides(
    inputs: BiasInputs,
    audit: Pictures,
    discovery: Flags,
    training: TrainingSide,
    retrained: tuple[Similarities, Similarities] | None,
    settings: BiasSettings,
) -> list[PictureSide]:
    """Measure annotated attributes on all pictures, proposed ones on the confirmation half beside them."""
    tiers = audit.attributes.tiers
    fixed = [column for column, tier in enumerate(tiers) if tier == "annotated"]
    proposed = [column for column, tier in enumerate(tiers) if tier != "annotated"]
    everything: Integers = np.arange(len(audit))
    sides = []
    if fixed:
        # Proposed attributes were chosen by looking at half of these pictures: they are no covariates here.
        sides.append(measure_pictures(inputs, audit, everything, fixed, fixed, training, retrained, settings))
    if proposed:
        rows, columns = np.flatnonzero(~discovery), list(range(len(tiers)))
        pictures = audit.rows(rows)
        sides.append(measure_pictures(inputs, pictures, rows, columns, proposed, training, retrained, settings))
    return sides


def _reasons(candidates: Candidates, training: TrainingSide, sides: list[PictureSide]) -> list[NotTestable]:
    found = [*candidates.constant, *training.not_testable, *(reason for side in sides for reason in side.not_testable)]
    return sorted(found, key=lambda reason: (reason.attribute, reason.emotion or "", reason.statistic))


def _refuse_nothing_testable(columns: Columns, reasons: list[NotTestable]) -> None:
    if not any(count_tests(columns[p]) for p, _, _ in FAMILIES.values()):
        raise AuditError(_nothing_testable(reasons))


def _nothing_testable(reasons: list[NotTestable]) -> str:
    shown = "; ".join(
        f"'{reason.attribute}' with {repr(reason.emotion) if reason.emotion else 'any emotion'} ({reason.statistic}): "
        f"{reason.reason}"
        for reason in reasons[:SHOWN]
    )
    more = f"; and {len(reasons) - SHOWN} more" if len(reasons) > SHOWN else ""
    told = shown + more if reasons else "there is no attribute"
    return f"No pair of attribute and emotion can be tested: {told}. Give more pictures, or lower audit.min_support."
