"""`mm_llm/pretrained` and `mm_llm/finetuned`: the language model that sees, trained in two stages."""

from typing import Any, Literal

import dagster as dg

from assets import metadata
from assets.failures import failures_for_people
from assets.ingest import samples_key
from assets.instruct import instruct_key
from assets.progress import log_progress
from assets.projector import MODEL
from assets.resources import LanguageModel, RawResource, StoreResource
from tinyemo_data.settings import MMLLMSettings, Settings, checked

GROUP = "mm_llm"
OWNERS = ["team:models"]
CODE_VERSION = "1"
PRETRAINED = dg.AssetKey(["mm_llm", "pretrained"])
FINETUNED = dg.AssetKey(["mm_llm", "finetuned"])
Stage = Literal["pretrain", "finetune"]
KEYS: dict[Stage, dg.AssetKey] = {"pretrain": PRETRAINED, "finetune": FINETUNED}
ASKED = 16  # held-out pictures whose answers the last check reads
DESCRIPTIONS: dict[Stage, str] = {
    "pretrain": "Stage 1: vision tower and language model put together (transformers' Llava); the connector between "
    "them learns, and nothing else.",
    "finetune": "Stage 2: connector and language model (whole, or low-rank adapters) learn to explain the emotion of a "
    "picture; the vision tower stays as it is. The folder loads with plain `transformers`, without this project.",
}
HOW = (
    "\n\nA killed run goes on from its last checkpoint, to the same weights as if nothing had happened. Several "
    "processes: `accelerate launch -m tinyemo_data.mm_llm {stage}`, then materialize this, which finds it made."
)


class TrainingConfig(dg.Config):
    """What can be chosen for one stage at launch; absent: as the profile says."""

    epochs: float | None = None
    batch_size: int | None = None
    learning_rate: float | None = None

    def over(self, settings: MMLLMSettings, stage: Stage) -> MMLLMSettings:
        """Return `settings` with what was typed laid over the stage's own."""
        typed = {name: value for name, value in self.model_dump().items() if value is not None}
        values = settings.model_dump()
        return checked(MMLLMSettings, {**values, stage: {**values[stage], **typed}})


def build_mm_llm(settings: Settings) -> list[Any]:
    """Return both stages of a profile and their checks; nothing where the profile makes none of their sets."""
    if not is_built(settings):
        return []
    definitions: list[Any] = []
    for stage in KEYS:
        definitions += [_stage_asset(stage, settings), _frozen_kept(stage), _losses_finite(stage), _has_learnt(stage)]
    return [*definitions, _labels_stated(settings)]


def is_built(settings: Settings) -> bool:
    """Tell whether a profile makes an instruct set that the MM-LLM learns from."""
    return any(_sets(stage, settings) for stage in KEYS)


def _sets(stage: Stage, settings: Settings) -> list[str]:
    from tinyemo_data.synthesis.recipe import enabled_sets

    wanted = settings.mm_llm.pretrain.sets if stage == "pretrain" else settings.mm_llm.finetune.sets
    return [name for name in wanted if name in enabled_sets(settings.synthesis)]


def _deps(stage: Stage, settings: Settings) -> list[dg.AssetKey]:
    from tinyemo_data.presence import datasets_present
    from tinyemo_data.synthesis.recipe import recipe_of

    sets = _sets(stage, settings)
    used = {dataset for name in sets for dataset in recipe_of(settings.synthesis, name).datasets}
    samples = [samples_key(name) for name in datasets_present(settings) if name in used]
    before = [PRETRAINED, MODEL] if stage == "finetune" else []
    return [*before, *map(instruct_key, sets), *samples]


def _stage_asset(stage: Stage, settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(
        key=KEYS[stage],
        group_name=GROUP,
        owners=OWNERS,
        kinds={"huggingface", "pytorch", "safetensors"},
        code_version=CODE_VERSION,
        deps=_deps(stage, settings),
        description=DESCRIPTIONS[stage] + HOW.format(stage=stage),
    )
    def trained(
        context: dg.AssetExecutionContext,
        config: TrainingConfig,
        store: StoreResource,
        raw: RawResource,
        language_model: LanguageModel,
    ) -> dg.MaterializeResult:
        from tinyemo_data.mm_llm import materialize

        with failures_for_people():
            chosen = settings.model_copy(
                update={
                    "raw": raw.folder,
                    "store": store.url,
                    "language_model": language_model.location,
                    "language_model_tokenizer": language_model.tokenizer,
                    "mm_llm": config.over(settings.mm_llm, stage),
                }
            )
            train = materialize.pretrain if stage == "pretrain" else materialize.finetune
            opened = store.open()
            made = train(opened, chosen, lambda unit: log_progress(context, unit))
        return dg.MaterializeResult(
            metadata=_shown(made, str(opened.path(made.key))), data_version=dg.DataVersion(made.digest)
        )

    return trained


def _shown(made: Any, path: str) -> dict[str, Any]:
    from tinyemo_data import charts

    manifest, course, run = made.manifest, made.manifest["course"], made.course
    chart = charts.loss_course(course["points"], course["validations"], course["best_step"])
    return {
        "dagster/uri": path,
        "losses": metadata.picture(chart, "training and validation loss, and the learning rate, over the steps"),
        "parts": manifest["parts"],
        "parameters": manifest["parameters"],
        "records": manifest["records"],
        "records_held_out": manifest["records_held_out"],
        "pictures": manifest["pictures"],
        "steps": course["steps"],
        "kept_step": course["best_step"] or course["steps"],
        "processes": manifest["processes"],
        "padding_share": round(course["padding"], 4),
        "settings": manifest["settings"],
        "sets": manifest["sets"],
        "trained_anew": made.is_new,
        "seconds": made.seconds,
        **({} if run is None else _run_shown(run)),
    }


def _run_shown(run: Any) -> dict[str, Any]:
    return {
        "resumed_at_step": run.resumed_at or 0,
        "tokens": run.tokens,
        "tokens_per_second": round(run.tokens_per_second),
    }


def _frozen_kept(stage: Stage) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=KEYS[stage], name="frozen_parts_bit_identical", blocking=True)
    def frozen_parts_bit_identical(store: StoreResource) -> dg.AssetCheckResult:
        """Weights that the stage must not touch lie in the saved model bit by bit as they were before it."""
        from tinyemo_data.mm_llm.freezing import stored_contents
        from tinyemo_data.mm_llm.saving import local_model

        with failures_for_people(), local_model(store.open(), stage) as folder:
            found = stored_contents(folder, stage)
            expected = _manifest(store, stage)["frozen"]
        return dg.AssetCheckResult(passed=found == expected, metadata={"expected": expected, "found": found})

    return frozen_parts_bit_identical


def _losses_finite(stage: Stage) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=KEYS[stage], name="losses_finite", blocking=True)
    def losses_finite(store: StoreResource) -> dg.AssetCheckResult:
        """Every loss that was logged is a number."""
        import math

        course = _manifest(store, stage)["course"]
        losses = [each["loss"] for each in [*course["points"], *course["validations"]]]
        return dg.AssetCheckResult(passed=bool(losses) and all(map(math.isfinite, losses)))

    return losses_finite


def _has_learnt(stage: Stage) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=KEYS[stage], name="validation_loss_fell")
    def validation_loss_fell(store: StoreResource) -> dg.AssetCheckResult:
        """On pictures that training never saw, the loss is lower than before training."""
        validations = _manifest(store, stage)["course"]["validations"]
        if not validations:
            return dg.AssetCheckResult(passed=True, description="Nothing was held out (mm_llm.validation_fraction).")
        before, best = validations[0]["loss"], min(each["loss"] for each in validations[1:])
        return dg.AssetCheckResult(
            passed=best < before, severity=dg.AssetCheckSeverity.WARN, metadata={"before": before, "best": best}
        )

    return validation_loss_fell


def _labels_stated(settings: Settings) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=FINETUNED, name="answers_state_a_label")
    def answers_state_a_label(store: StoreResource, raw: RawResource) -> dg.AssetCheckResult:
        """Asked about held-out pictures without being told their label, the model states one at least half the time."""
        from tinyemo_data.mm_llm.held_out import ask_held_out

        with failures_for_people():
            chosen = settings.model_copy(update={"raw": raw.folder, "store": store.url})
            answers = ask_held_out(store.open(), chosen, ASKED)
        stated = sum(answer.label is not None for answer in answers)
        return dg.AssetCheckResult(
            passed=2 * stated >= len(answers),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"asked": len(answers), "stated": stated, "first": answers[0].text if answers else ""},
        )

    return answers_state_a_label


def _manifest(store: StoreResource, stage: Stage) -> dict[str, Any]:
    from tinyemo_data.errors import StoreError
    from tinyemo_data.mm_llm.saving import model_key, read_manifest

    with failures_for_people():
        opened = store.open()
        found = read_manifest(opened, stage)
        if found is None:
            raise StoreError(f"{opened.path(model_key(stage))} holds no whole model: materialize it first.")
    return found
