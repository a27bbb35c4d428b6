"""`audit/bias`, `audit/review` and `audit/mitigated`: what the program finds, a person decides, and what follows."""

from typing import Any

import dagster as dg

from assets import metadata
from assets.failures import failures_for_people
from assets.features import features_at_hand
from assets.instruct import instruct_key
from assets.leakage import LEAKAGE
from assets.progress import log_progress
from assets.projector import MODEL
from assets.resources import ClipEncoder, RawResource, StoreResource
from tinyemo_data.settings import AuditSettings, Settings, checked

GROUP = "audit"
OWNERS = ["team:models"]
CODE_VERSION = "1"
BIAS = dg.AssetKey(["audit", "bias"])
REVIEW = dg.AssetKey(["audit", "review"])
MITIGATED = dg.AssetKey(["audit", "mitigated"])


class BiasConfig(dg.Config):
    """What can be chosen for the audit at launch; absent: as the profile says."""

    datasets: list[str] | None = None
    min_support: int | None = None
    q: float | None = None
    latent_slices: int | None = None
    contrast_seeds: int | None = None

    def over(self, settings: Settings) -> Settings:
        """Return `settings` with what was typed laid over `audit`."""
        typed = {name: value for name, value in self.model_dump().items() if value is not None}
        return settings.model_copy(update={"audit": checked(AuditSettings, settings.audit.model_dump() | typed)})


def build_bias(settings: Settings) -> list[Any]:
    """Return the audit's assets of a profile, from findings to mitigation, and their checks."""
    return [
        _bias_asset(settings),
        _every_dataset_audited(),
        _enough_to_decide(),
        _review_asset(settings),
        _all_decided(),
        _decisions_hold(),
        _mitigated_asset(settings),
        _review_is_complete(),
        _bias_is_smaller(),
    ]


def _bias_asset(settings: Settings) -> dg.AssetsDefinition:
    captions = settings.audit.caption_set
    deps = [MODEL, LEAKAGE, *features_at_hand(settings, settings.audit.datasets or list(settings.datasets))]

    @dg.asset(
        key=BIAS,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"pytorch", "polars", "parquet"},
        code_version=CODE_VERSION,
        deps=[*deps, *([instruct_key(captions)] if captions else [])],
    )
    def bias(
        context: dg.AssetExecutionContext,
        config: BiasConfig,
        store: StoreResource,
        raw: RawResource,
        clip_encoder: ClipEncoder,
    ) -> dg.MaterializeResult:
        """Which attributes the projector takes for which emotion, and whether the training labels taught it that.

        Every pair of attribute and emotion is tested on pictures that were not learnt from; a second projector that
        learns from re-weighted labels says what the labels taught. Slices that are flagged are for people to decide
        about: open `audit/report.html`, write into `audit/review.csv`. On cached features; a projector is trained
        again for each dataset and contrast seed.
        """
        from tinyemo_data.audit.bias.materialize import materialize_bias
        from tinyemo_data.audit.bias.written import REPORT_KEY
        from tinyemo_data.audit.report.page import write_page
        from tinyemo_data.features.cache import encoder_slug

        with failures_for_people():
            opened = store.open()
            chosen = config.over(settings.model_copy(update={"raw": raw.folder}))
            made = materialize_bias(
                opened, chosen, encoder_slug(clip_encoder.settings()), log_progress(context, "datasets")
            )
            write_page(opened, chosen)
        return dg.MaterializeResult(
            metadata=_found(made, opened), data_version=dg.DataVersion(opened.digest(REPORT_KEY))
        )

    return bias


def _found(made: Any, store: Any) -> dict[str, Any]:
    from tinyemo_data.audit.report.chart import effects_chart
    from tinyemo_data.audit.report.page import PAGE_KEY

    flagged = made.slices.filter("flagged").sort("rank")
    shown = [
        "rank",
        "dataset",
        "attribute",
        "emotion",
        "d",
        "d_low",
        "d_high",
        "d_contrast",
        "log_or",
        "q_bh",
        "origin",
    ]
    tests = [{"dataset": one.what.dataset, "flagged": int(one.findings.slices["flagged"].sum()), **one.findings.tests,
              "decided by": one.findings.decided_by} for one in made.audits]  # fmt: skip
    return {
        "dagster/row_count": len(made.slices),
        "dagster/uri": str(store.path("audit/slices.parquet")),
        "page": dg.MetadataValue.path(str(store.path(PAGE_KEY))),
        "flagged": len(flagged),
        "flagged_slices": metadata.preview(flagged.select(shown), rows=20),
        "strongest": metadata.picture(effects_chart(made.slices), "d and contrast of the strongest slices"),
        "tests": metadata.preview(_frame(tests), rows=20),
        "not_audited": {one.dataset: one.reason for one in made.not_audited},
        "limits": made.report["settings"],
        "seconds": made.seconds,
    }


def _frame(rows: list[dict[str, Any]]) -> Any:
    import polars as pl

    return pl.DataFrame(rows)


def _every_dataset_audited() -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=BIAS, name="every_dataset_audited")
    def every_dataset_audited(store: StoreResource) -> dg.AssetCheckResult:
        """No dataset of the profile had to be left out: what is not audited is not without bias."""
        from tinyemo_data.audit.bias.written import read_report

        with failures_for_people():
            left_out = {one["dataset"]: one["reason"] for one in read_report(store.open())["not_audited"]}
        return dg.AssetCheckResult(
            passed=not left_out,
            severity=dg.AssetCheckSeverity.WARN,
            description=" ".join(f"{name}: {reason}" for name, reason in left_out.items()),
            metadata={"left_out": left_out},
        )

    return every_dataset_audited


def _enough_to_decide() -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=BIAS, name="enough_to_decide")
    def enough_to_decide(store: StoreResource) -> dg.AssetCheckResult:
        """Every audited dataset has pairs with enough pictures for a decision."""
        from tinyemo_data.audit.bias.written import read_report

        with failures_for_people():
            audits = read_report(store.open())["audits"]
        tests = {one["dataset"]: one["tests"]["decision"] for one in audits}
        return dg.AssetCheckResult(
            passed=all(tests.values()), severity=dg.AssetCheckSeverity.WARN, metadata={"pairs_with_a_decision": tests}
        )

    return enough_to_decide


def _review_asset(settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(key=REVIEW, group_name=GROUP, owners=["team:data"], kinds={"csv"}, code_version=CODE_VERSION, deps=[BIAS])
    def review(store: StoreResource, raw: RawResource) -> dg.MaterializeResult:
        """What people decided about each flagged slice, in `audit/review.csv`, a file that is theirs.

        New slices are added below; what a person wrote is never overwritten, and kept across audits by slice id. A row
        that can't be followed fails this asset and leaves the file as it is. Undecided slices fail no run: they are
        listed here and on every card, nothing is published and nothing mitigated as long as there are any.
        """
        from tinyemo_data.audit.report.page import write_page
        from tinyemo_data.audit.review.materialize import materialize_review
        from tinyemo_data.audit.review.state import STATE_KEY
        from tinyemo_data.audit.review.terms import REVIEW_KEY

        with failures_for_people():
            opened = store.open()
            state = materialize_review(opened)
            write_page(opened, settings.model_copy(update={"raw": raw.folder}))
        return dg.MaterializeResult(
            metadata={
                "dagster/uri": str(opened.path(REVIEW_KEY)),
                "flagged": state.flagged,
                "undecided": len(state.undecided),
                "undecided_slices": state.undecided,
                "disputed": state.disputed,
                "decisions": metadata.records(state.settled),
                "moved": metadata.records(state.moved),
                "no_longer_flagged": state.no_longer_flagged,
                "of_earlier_audits": state.earlier,
                "agreement": metadata.records(state.agreement),
                "second_look": state.second_look,
            },
            data_version=dg.DataVersion(opened.digest(STATE_KEY)),
        )

    return review


def _all_decided() -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=REVIEW, name="all_decided")
    def all_decided(store: StoreResource) -> dg.AssetCheckResult:
        """Somebody decided about every flagged slice. Not blocking: what follows waits by itself."""
        from tinyemo_data.audit.review.state import read_state

        with failures_for_people():
            state = read_state(store.open())
        return dg.AssetCheckResult(
            passed=not state.undecided,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{len(state.undecided)} of {state.flagged} flagged slices are undecided.",
            metadata={"undecided": state.undecided, "disputed": state.disputed},
        )

    return all_decided


def _decisions_hold() -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=REVIEW, name="decisions_hold")
    def decisions_hold(store: StoreResource) -> dg.AssetCheckResult:
        """No decided slice's effect moved out of the interval it had when it was decided, and all are still flagged."""
        from tinyemo_data.audit.review.state import read_state

        with failures_for_people():
            state = read_state(store.open())
        moved = [one.slice_id for one in state.moved]
        return dg.AssetCheckResult(
            passed=not moved and not state.no_longer_flagged,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"moved": moved, "no_longer_flagged": state.no_longer_flagged},
        )

    return decisions_hold


def _mitigated_asset(settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(
        key=MITIGATED,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"pytorch", "safetensors"},
        code_version=CODE_VERSION,
        deps=[REVIEW, MODEL],
    )
    def mitigated(
        context: dg.AssetExecutionContext, store: StoreResource, clip_encoder: ClipEncoder
    ) -> dg.MaterializeResult:
        """The projector once more, with accepted slices (action `reweight`) weighed away, and what that changed.

        Bias of every pair and accuracy of every seed, before and after. Where nothing was accepted for re-weighting
        there is nothing to do, and as long as flagged slices are undecided nothing is trained: the status says so,
        and no run fails of it. Nothing uses the model in `models/projector_mitigated/` by itself.
        """
        from tinyemo_data.audit.mitigation.materialize import FOLDER, JSON_KEY, materialize_mitigation
        from tinyemo_data.features.cache import encoder_slug

        with failures_for_people():
            opened = store.open()
            slug = encoder_slug(clip_encoder.settings())
            made = materialize_mitigation(opened, settings, slug, log_progress(context, "seeds"))
        return dg.MaterializeResult(
            metadata={
                "status": made.status,
                "reason": made.report.get("reason", ""),
                "undecided": made.report["undecided"],
                "to_reweight": made.report["to_reweight"],
                "dagster/uri": str(opened.path(FOLDER)),
                "report": dg.MetadataValue.md(made.markdown),
            },
            data_version=dg.DataVersion(opened.digest(JSON_KEY)),
        )

    return mitigated


def _review_is_complete() -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=MITIGATED, name="review_is_complete")
    def review_is_complete(store: StoreResource) -> dg.AssetCheckResult:
        """Nothing that people want weighed away waits for undecided slices. Not blocking: the model is not there."""
        from tinyemo_data.audit.mitigation.materialize import JSON_KEY, WAITING

        with failures_for_people():
            told = store.open().read_json(JSON_KEY)
        return dg.AssetCheckResult(
            passed=told["status"] != WAITING,
            description=told.get("reason", ""),
            metadata={"status": told["status"], "undecided": told["undecided"]},
        )

    return review_is_complete


def _bias_is_smaller() -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=MITIGATED, name="bias_is_smaller")
    def bias_is_smaller(store: StoreResource) -> dg.AssetCheckResult:
        """Each accepted slice's effect is surely smaller than before: the interval of its change is below zero."""
        from tinyemo_data.audit.mitigation.materialize import JSON_KEY

        with failures_for_people():
            rows = store.open().read_json(JSON_KEY).get("slices", [])
        left = [row["slice_id"] for row in rows if row["change_high"] is None or row["change_high"] >= 0]
        return dg.AssetCheckResult(
            passed=not left,
            severity=dg.AssetCheckSeverity.WARN,
            description="" if rows else "Nothing was mitigated.",
            metadata={"not_surely_smaller": left, "slices": len(rows)},
        )

    return bias_is_smaller
