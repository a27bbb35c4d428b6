"""`audit/interpretability`: the words nearest to projected pictures, against random words, and a map."""

from typing import Any

import dagster as dg

from assets import metadata
from assets.failures import failures_for_people
from assets.features import features_at_hand
from assets.projector import MODEL, PROTOTYPES
from assets.resources import ClipEncoder, StoreResource
from tinyemo_data.settings import Settings

GROUP = "audit"
OWNERS = ["team:models"]
CODE_VERSION = "1"
INTERPRETABILITY = dg.AssetKey(["audit", "interpretability"])


def build_interpretability(settings: Settings) -> list[Any]:
    """Return the interpretability asset and its checks."""
    return [_interpretability_asset(settings), *_interpretability_checks()]


def _interpretability_asset(settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(
        key=INTERPRETABILITY,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"pytorch", "huggingface", "matplotlib"},
        code_version=CODE_VERSION,
        deps=[PROTOTYPES, MODEL, *features_at_hand(settings, list(settings.datasets))],
    )
    def interpretability(store: StoreResource, clip_encoder: ClipEncoder) -> dg.MaterializeResult:
        """The language model's words nearest to projected pictures: a picture, an emotion, a slice.

        Pictures are those of the evaluated splits (`test`, else `validation`), which nothing was learnt from. Words
        are whole words of the vocabulary, beside random ones; labels shuffled within their dataset say how far some
        word would be set apart by chance. Any word's pictures: `tinyemo retrieve "abandoned"`.
        """
        from tinyemo_data.audit.interpretability.materialize import materialize_interpretability, pictures_looked_at
        from tinyemo_data.audit.interpretability.report import REPORT_KEY, word_table
        from tinyemo_data.features.cache import encoder_slug

        with failures_for_people():
            opened = store.open()
            made = materialize_interpretability(opened, settings, encoder_slug(clip_encoder.settings()))
        report = made.report
        emotions, slices = (word_table(found) for found in (report.judged, report.of_kind("slice")))
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(made.tokens),
                "dagster/uri": str(opened.path(REPORT_KEY)),
                "looked_at": pictures_looked_at(report.context["looked_at"]),
                "language_model": report.context["language_model"],
                "whole_words": report.context["whole_words"],
                "emotions": metadata.preview(emotions, rows=40),
                "slices": metadata.preview(slices, rows=40),
                "map": metadata.picture(made.picture, "projected pictures and prototypes in a plane"),
                "notes": dg.MetadataValue.md("\n".join(f"- {note}" for note in report.notes)),
            },
            data_version=dg.DataVersion(opened.digest(REPORT_KEY)),
        )

    return interpretability


def _interpretability_checks() -> list[dg.AssetChecksDefinition]:
    @dg.asset_check(asset=INTERPRETABILITY, name="own_words_are_near")
    def own_words_are_near(store: StoreResource) -> dg.AssetCheckResult:
        """Each emotion's own word is nearer to its pictures than 95 % of random words are."""
        from tinyemo_data.audit.interpretability.report import read_report

        with failures_for_people():
            emotions = read_report(store.open()).judged
        far = {
            group.name: group.own_word.p_control for group in emotions if group.own_word and not group.own_word_is_near
        }
        ranks = {group.name: group.own_word.rank for group in emotions if group.own_word}
        return dg.AssetCheckResult(
            passed=not far, severity=dg.AssetCheckSeverity.WARN, metadata={"far": far, "rank_of_own_word": ranks}
        )

    @dg.asset_check(asset=INTERPRETABILITY, name="words_beat_the_control")
    def words_beat_the_control(store: StoreResource) -> dg.AssetCheckResult:
        """Each emotion's words are nearer than random ones, and set it apart more than shuffled labels do."""
        from tinyemo_data.audit.interpretability.report import read_report

        with failures_for_people():
            emotions = read_report(store.open()).judged
        beaten = {group.name: group.p_shuffled for group in emotions if not group.beats_control}
        return dg.AssetCheckResult(
            passed=not beaten, severity=dg.AssetCheckSeverity.WARN, metadata={"no_better_than_the_control": beaten}
        )

    return [own_words_are_near, words_beat_the_control]
