"""`evaluation/reasoning`: how good the MM-LLM's explanations are, and what conditioning on a label gives."""

from typing import Any

import dagster as dg

from assets import metadata
from assets.failures import failures_for_people
from assets.features import features_at_hand
from assets.leakage import LEAKAGE
from assets.mm_llm import FINETUNED, PRETRAINED, is_built
from assets.progress import log_progress
from assets.projector import MODEL
from assets.resources import ClipEncoder, Generator, RawResource, StoreResource
from tinyemo_data.settings import Settings

GROUP = "evaluation"
OWNERS = ["team:models"]
CODE_VERSION = "1"
REASONING = dg.AssetKey(["evaluation", "reasoning"])


class ReasoningConfig(dg.Config):
    """What can be chosen at launch; absent: as the profile says."""

    pictures: int | None = None  # held-out pictures at most


def build_reasoning(settings: Settings) -> list[Any]:
    """Return the reasoning evaluation of a profile and its checks; nothing where the profile trains no MM-LLM."""
    if not is_built(settings):
        return []
    return [_reasoning_asset(settings), _withheld_beats_chance(), _shuffled_is_chance()]


def _reasoning_asset(settings: Settings) -> dg.AssetsDefinition:
    datasets = list(dict.fromkeys([*settings.synthesis.datasets, *settings.evaluation.datasets]))

    @dg.asset(
        key=REASONING,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"pytorch", "huggingface"},
        code_version=CODE_VERSION,
        deps=[PRETRAINED, FINETUNED, MODEL, LEAKAGE, *features_at_hand(settings, datasets)],
    )
    def reasoning(
        context: dg.AssetExecutionContext,
        config: ReasoningConfig,
        store: StoreResource,
        raw: RawResource,
        clip_encoder: ClipEncoder,
        generator: Generator,
    ) -> dg.MaterializeResult:
        """The emotion that the MM-LLM's texts state, and how far they hold to the picture, on held-out pictures.

        Ablation: label given, predicted or withheld; pretrained only or both stages; pictures shuffled and an untrained
        connector as controls. Grounding, paired statements, reference texts, diversity and, where the profile names
        one, a judge, within the budget of `synthesis.budget_usd`. The same questions are exported for lmms-eval and
        VLMEvalKit. Figures of the demo are of drawn pictures and say nothing about real ones.
        """
        from tinyemo_data.evaluation.reasoning.materialize import materialize_reasoning
        from tinyemo_data.features.identity import encoder_slug

        with failures_for_people():
            opened = store.open()
            chosen = _chosen(generator.over(settings), config).model_copy(
                update={"raw": raw.folder, "store": store.url}
            )
            made = materialize_reasoning(
                opened,
                chosen,
                encoder_slug(clip_encoder.settings()),
                reports=lambda unit: log_progress(context, unit),
                say=context.log.info,
            )
        return dg.MaterializeResult(
            metadata=_shown(made, opened), data_version=dg.DataVersion(opened.digest("reports/reasoning.json"))
        )

    return reasoning


def _shown(made: Any, store: Any) -> dict[str, Any]:
    report = made.report
    return {
        "dagster/row_count": len(report.rows),
        "dagster/uri": str(store.path("reports/reasoning.json")),
        "ablation": dg.MetadataValue.md(made.table),
        "plot": metadata.picture(made.picture, "top-1 of the emotion stated by the texts, a row of the ablation each"),
        "report": str(store.path("reports/reasoning.md")),
        "answers": str(store.path("reports/reasoning_answers.parquet")),
        "exports": made.exports,
        "notes": dg.MetadataValue.md("\n".join(f"- {note}" for note in report.notes)),
        "pictures": report.context["n"],
        "chance": report.context["chance"],
        **({} if report.judge is None else {"judge_usd": report.judge["usd"]}),
        **made.headline,
    }


def _chosen(settings: Settings, config: ReasoningConfig) -> Settings:
    """Return the settings with what was typed at launch laid over them."""
    if config.pictures is None:
        return settings
    from tinyemo_data.settings import ReasoningEvaluationSettings, checked

    evaluation = settings.evaluation
    typed = evaluation.reasoning.model_dump() | {"pictures": config.pictures}
    reasoning = checked(ReasoningEvaluationSettings, typed)
    return settings.model_copy(update={"evaluation": evaluation.model_copy(update={"reasoning": reasoning})})


def _withheld_beats_chance() -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=REASONING, name="withheld_beats_chance")
    def withheld_beats_chance(store: StoreResource) -> dg.AssetCheckResult:
        """Without being told the label, the finetuned model states it more often than any answer that doesn't look."""
        from tinyemo_data.evaluation.reasoning.findings import judge_withheld

        return _result(store, judge_withheld)

    return withheld_beats_chance


def _shuffled_is_chance() -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=REASONING, name="shuffled_is_chance")
    def shuffled_is_chance(store: StoreResource) -> dg.AssetCheckResult:
        """Shown other samples' pictures, it does no better than chance: it is the picture that tells it."""
        from tinyemo_data.evaluation.reasoning.findings import judge_shuffled

        return _result(store, judge_shuffled)

    return shuffled_is_chance


def _result(store: StoreResource, judge: Any) -> dg.AssetCheckResult:
    from tinyemo_data.evaluation.reasoning.report import read_json

    with failures_for_people():
        found = judge(read_json(store.open()))
    return dg.AssetCheckResult(
        passed=found.passed, severity=dg.AssetCheckSeverity.WARN, description=found.sentence, metadata=found.figures
    )
