"""The mitigated projector over a store: `models/projector_mitigated/` and `audit/mitigated.{json,md}`.

Where nothing was accepted for re-weighting there is nothing to do, and the report says so. Where something was, and
flagged slices are still undecided, nothing is trained: half a review would be taken for a whole one. Neither is a
failure, for reviews take their time; a mitigated model of an earlier review is removed, so that none is found that
today's decisions do not bear.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from tinyemo_data import taxonomy
from tinyemo_data.audit.bias.attributes import Floats
from tinyemo_data.audit.bias.preparing import Prepared, bias_settings, prepare
from tinyemo_data.audit.bias.written import read_report, read_slices
from tinyemo_data.audit.mitigation.accuracy import measure_accuracy
from tinyemo_data.audit.mitigation.effects import compare_effects, tell_effects
from tinyemo_data.audit.mitigation.frozen import FrozenAudit, freeze
from tinyemo_data.audit.mitigation.page import render_page
from tinyemo_data.audit.mitigation.retraining import retrain_weighted
from tinyemo_data.audit.mitigation.weighing import Wanted, effective_share, weigh, weighted_odds_ratio
from tinyemo_data.audit.review.state import ReviewState, read_state
from tinyemo_data.errors import StoreError
from tinyemo_data.features.gather import datasets_at_hand
from tinyemo_data.progress import Meter, Report
from tinyemo_data.projector.checkpoint import save_checkpoint, trained_from, training_metrics
from tinyemo_data.projector.seeds import TrainedEnsemble
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store

FOLDER = "models/projector_mitigated"
JSON_KEY, MARKDOWN_KEY = "audit/mitigated.json", "audit/mitigated.md"
NOTHING, WAITING, DONE = "nothing_to_mitigate", "waiting_for_review", "mitigated"
SHOWN = 3  # undecided slices in a message


@dataclass(frozen=True)
class Mitigated:
    """What was written."""

    status: str  # NOTHING, WAITING or DONE
    report: dict[str, Any]
    markdown: str


def materialize_mitigation(store: Store, settings: Settings, slug: str, report: Report | None = None) -> Mitigated:
    """Train the projector again with the accepted slices weighed away, where people accepted any and decided all.

    Raises ReviewError where the review was made of other files than there are; and what `prepare`, `weigh` and
    training raise.
    """
    state = read_state(store)
    if not state.to_reweight or state.undecided:
        for key in store.keys(FOLDER):
            store.remove(key)
        status = WAITING if state.to_reweight else NOTHING
        return _write(store, _counts(state) | {"status": status, "reason": _reason(state)})
    prepared = prepare(store, settings, slug)
    accepted = _accepted(store, prepared, state)
    frozen = _freeze(store, prepared, settings)
    wanted = _wanted(accepted, frozen)
    weights = {name: weigh(_labels(name, prepared, frozen), of, _emotions(name)) for name, of in wanted.items()}
    meter = Meter(len(prepared.courses), report)
    parts = (prepared.train, prepared.prototypes, prepared.settings, prepared.courses)
    trained = retrain_weighted(*parts, weights, meter.advance)
    told = _counts(state) | {
        "status": DONE,
        "model_before": prepared.ensemble.digest,
        "model_after": trained.ensemble.digest,
        "seeds": trained.ensemble.seeds,
        "weights": [_told(name, of, weights[name], prepared, frozen) for name, of in wanted.items()],
        **tell_effects(compare_effects(frozen, trained.ensemble), accepted),
        "accuracy": _accuracy(store, settings, slug, prepared, trained),
    }
    metrics = {"seeds": training_metrics(trained), "weights": told["weights"]}
    provenance = trained_from(prepared.train, trained, slug, prepared.prototypes)
    save_checkpoint(store, trained.ensemble, prepared.settings, provenance, metrics, FOLDER)
    return _write(store, told)


def _reason(state: ReviewState) -> str:
    """Say why nothing is trained."""
    shown = ", ".join(state.undecided[:SHOWN]) + (", …" if len(state.undecided) > SHOWN else "")
    count = f"{len(state.undecided)} of {state.flagged} flagged slices are undecided ({shown})"
    if state.to_reweight:
        return (
            f"{len(state.to_reweight)} slices are to be re-weighted, but {count}. Decide all of them in "
            "audit/review.csv (tinyemo review lists them), then materialize audit/review and audit/mitigated."
        )
    nothing = "Nothing to mitigate: no slice was decided to be accepted_bias with the action reweight."
    if not state.flagged:
        return f"{nothing} No slice was flagged."
    return f"{nothing} {count}." if state.undecided else f"{nothing} All {state.flagged} flagged slices are decided."


def _accepted(store: Store, prepared: Prepared, state: ReviewState) -> pl.DataFrame:
    if read_report(store)["model_digest"] != prepared.ensemble.digest:
        raise StoreError("The audit is of another projector than the store holds now. Materialize audit/bias again.")
    chosen = [one.slice_id for one in state.to_reweight]
    return read_slices(store).filter(pl.col("slice_id").is_in(chosen))


def _freeze(store: Store, prepared: Prepared, settings: Settings) -> dict[str, FrozenAudit]:
    """Return the audits that gave slices, by dataset."""
    limits, seeds = bias_settings(settings.audit), settings.audit.contrast_seeds
    names = {one["dataset"] for one in read_report(store)["audits"]}
    return {
        one.dataset: freeze(prepared.inputs(one, seeds), limits, one.pictures.features)
        for one in prepared.audited
        if one.dataset in names
    }


def _wanted(accepted: pl.DataFrame, frozen: Mapping[str, FrozenAudit]) -> dict[str, list[Wanted]]:
    """Return by taxonomy what shall be made even; a pair that several datasets showed is made even once."""
    found: dict[str, dict[tuple[str, str], Wanted]] = {}
    for row in accepted.iter_rows(named=True):
        emotion = _emotions(row["taxonomy"]).index(row["emotion"])
        # Clusters have the same names in every dataset, and are others.
        name = f"{row['dataset']}: {row['attribute']}" if row["tier"] == "latent" else row["attribute"]
        values = frozen[row["dataset"]].training_values(row["attribute"])
        found.setdefault(row["taxonomy"], {}).setdefault((name, row["emotion"]), Wanted(name, emotion, values))
    return {name: list(pairs.values()) for name, pairs in found.items()}


def _labels(name: str, prepared: Prepared, frozen: Mapping[str, FrozenAudit]) -> Any:
    audited = next(one for one in prepared.audited if one.taxonomy == name and one.dataset in frozen)
    return frozen[audited.dataset].inputs.train.labels


def _emotions(name: str) -> tuple[str, ...]:
    return taxonomy.get(name).labels


def _told(
    name: str, wanted: list[Wanted], weights: Floats, prepared: Prepared, frozen: Mapping[str, FrozenAudit]
) -> dict[str, Any]:
    labels, emotions = _labels(name, prepared, frozen), _emotions(name)
    pairs = [
        {
            "attribute": one.attribute,
            "emotion": emotions[one.emotion],
            "odds_ratio_before": weighted_odds_ratio(labels, one, weights * 0 + 1),
            "odds_ratio_after": weighted_odds_ratio(labels, one, weights),
        }
        for one in wanted
    ]
    return {
        "taxonomy": name,
        "training_pictures": len(weights),
        "effective_share": effective_share(weights),
        "largest_weight": float(weights.max()),
        "smallest_weight": float(weights.min()),
        "pairs": pairs,
    }


def _accuracy(
    store: Store, settings: Settings, slug: str, prepared: Prepared, trained: TrainedEnsemble
) -> list[dict[str, Any]]:
    wanted = list(dict.fromkeys([*settings.evaluation.datasets, *prepared.train.datasets]))
    used, _ = datasets_at_hand(store, slug, wanted)
    rows = measure_accuracy(store, slug, used, prepared.ensemble, trained.ensemble, prepared.twins)
    return [asdict(one) for one in rows]


def _counts(state: ReviewState) -> dict[str, Any]:
    return {
        "flagged": state.flagged,
        "undecided": len(state.undecided),
        "to_reweight": len(state.to_reweight),
        "review_sha256": state.review_sha256,
        "slices_sha256": state.slices_sha256,
    }


def _write(store: Store, told: dict[str, Any]) -> Mitigated:
    store.write_json(JSON_KEY, told)
    markdown = render_page(told)
    store.write_bytes(MARKDOWN_KEY, markdown.encode())
    return Mitigated(told["status"], told, markdown)
