"""`instruct/<set>`: instruct sets by prompting language models; what was paid for is never asked again."""

import hashlib
from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets import metadata
from assets.failures import failures_for_people
from assets.features import features_at_hand
from assets.progress import log_progress
from assets.projector import MODEL
from assets.resources import ClipEncoder, Generator, RawResource, StoreResource
from tinyemo_data.presence import datasets_present
from tinyemo_data.settings import Settings

GROUP = "instruct"
OWNERS = ["team:data"]
CODE_VERSION = "1"
COSTS = {
    "rules": "Answered by rules, offline and free.",
    "anthropic": "Answered by the Anthropic API, a message a question: it costs money, within `synthesis.budget_usd`.",
    "anthropic_batches": "Answered by Anthropic message batches, at half the price: a run submits what is open and "
    "ends; the sensor `finished_batches` runs it again when batches have ended.",
    "openai_compatible": "Answered by the server at `synthesis.base_url`.",
}


class InstructConfig(dg.Config):
    """What can be chosen for one set at launch; absent: as the profile says."""

    dry_run: bool = False  # say what asking would send and cost, and send nothing
    limit: int | None = None  # pictures at most


def build_instruct(settings: Settings) -> list[Any]:
    """Return the instruct sets of a profile, and their checks."""
    from tinyemo_data.synthesis.recipe import enabled_sets

    definitions: list[Any] = []
    for name in enabled_sets(settings.synthesis):
        definitions += [
            _set_asset(name, settings),
            _fit_to_learn_from(name),
            _varied(name, settings.synthesis.sets[name].per_emotion is not None),
            _quota_met(name, settings),
        ]
    return definitions


def instruct_key(name: str) -> dg.AssetKey:
    """Return the asset key of an instruct set."""
    return dg.AssetKey(["instruct", name])


def _code_version(name: str, settings: Settings) -> str:
    """Return a digest of the set's prompts: editing one shows its own set as stale, and no other."""
    from tinyemo_data.synthesis.recipe import recipe_of

    digests = [prompt.digest for prompt in recipe_of(settings.synthesis, name).prompts]
    return hashlib.sha256("".join([CODE_VERSION, *digests]).encode()).hexdigest()[:16]


def _set_asset(name: str, settings: Settings) -> dg.AssetsDefinition:
    from tinyemo_data.synthesis.recipe import recipe_of

    recipe = recipe_of(settings.synthesis, name)
    present = [dataset for dataset in recipe.datasets if dataset in datasets_present(settings)]

    @dg.asset(
        key=instruct_key(name),
        group_name=GROUP,
        owners=OWNERS,
        kinds={"parquet", "polars"},
        code_version=_code_version(name, settings),
        deps=[MODEL, *features_at_hand(settings, present)],
        output_required=False,
        description=(
            f"Instruct set **{name}**: "
            + "; ".join(f"`{prompt.id}`: {prompt.purpose}" for prompt in recipe.prompts)
            + f"\n\n{COSTS[recipe.backend]} Every reply is in the request ledger before anything else happens to it; "
            "changing a prompt asks its own questions again and no other."
        ),
    )
    def instruct(
        context: dg.AssetExecutionContext,
        config: InstructConfig,
        store: StoreResource,
        raw: RawResource,
        clip_encoder: ClipEncoder,
        generator: Generator,
    ) -> Iterator[dg.MaterializeResult]:
        from tinyemo_data.instruct_command import predictions_for
        from tinyemo_data.synthesis.materialize import make_set

        with failures_for_people():
            chosen = generator.over(settings).model_copy(
                update={"raw": raw.folder, "store": store.url, "encoder": clip_encoder.settings()}
            )
            if config.limit is not None:
                chosen = _limited(chosen, name, config.limit)
            opened = store.open()
            predictions = predictions_for(opened, chosen, name)
            if config.dry_run:
                context.log.info(_forecast(opened, chosen, name, predictions))
                return
            made = make_set(
                opened,
                chosen,
                name,
                predictions,
                reports=lambda unit: log_progress(context, unit),
                say=context.log.info,
            )
        if made.asked.under_way:
            _log_what_waits(context.log, made.asked)
            return
        if made.asked.stopped:
            raise dg.Failure(made.asked.stopped, metadata=_shown(made, opened), allow_retries=False)
        digest = opened.digest(f"instruct/{name}/records.parquet")
        yield dg.MaterializeResult(metadata=_shown(made, opened), data_version=dg.DataVersion(digest))

    return instruct


def _limited(settings: Settings, name: str, limit: int) -> Settings:
    """Return the settings with another limit for one set, whatever limit of its own it has."""
    synthesis = settings.synthesis
    options = synthesis.sets[name].model_copy(update={"limit": limit})
    sets = {**synthesis.sets, name: options}
    return settings.model_copy(update={"synthesis": synthesis.model_copy(update={"sets": sets})})


def _log_what_waits(log: dg.DagsterLogManager, asked: Any) -> None:
    log.info(f"{asked.batches}\nRun this again when they have ended; nothing is asked twice.")
    for line in [*asked.notes, asked.stopped]:
        if line:
            log.warning(line)


def _forecast(store: Any, settings: Settings, name: str, predictions: Any) -> str:
    from tinyemo_data.synthesis.materialize import forecast_set
    from tinyemo_data.synthesis.sending import describe_forecast

    recipe, found = forecast_set(store, settings, name, predictions)
    return describe_forecast(recipe, found)


def _shown(made: Any, store: Any) -> dict[str, Any]:
    from tinyemo_data import charts
    from tinyemo_data.synthesis.records import Record, iterate_records, records_key, rejects_key

    name, funnel, asked = made.recipe.name, made.rendered.funnel, made.asked
    first = next(iterate_records(store, name), None)
    stages = [(stage.name, stage.entered, stage.held_back) for stage in funnel.stages()]
    shown: dict[str, Any] = {
        "dagster/row_count": funnel.total("accepted"),
        "dagster/column_schema": metadata.column_schema(Record),
        "dagster/uri": str(store.path(records_key(name))),
        "rejects": str(store.path(rejects_key(name))),
        "rejected": funnel.drafts and sum(held for stage, _, held in stages if stage not in ("waiting", "surplus")),
        "waiting": funnel.total("waiting"),
        "funnel": metadata.picture(charts.funnel(stages), f"how many drafts became records of {name}, gate by gate"),
        "balance": metadata.picture(charts.balance(funnel.accepted()), f"records an emotion and task of {name}"),
        "reasons": funnel.reasons(),
        "diversity": {
            task: {key: getattr(found, key) for key in ("distinct_2", "self_bleu", "modal_opening_share")}
            for task, found in made.rendered.diversity.items()
        },
        "asked_now": asked.answered,
        "answered_before": asked.cached,
        "usd_now": asked.spent_usd,
        "usd_of_these_records": funnel.usd(),
        "seconds": asked.seconds,
        "datasets_missing": made.datasets_missing,
        "ledger": str(made.ledger),
    }
    for key in ("refused", "given_up", "retries", "notes"):
        if getattr(asked, key):
            shown[key] = getattr(asked, key)
    if asked.pictures_gone:
        shown["pictures_gone"] = asked.pictures_gone
        shown["first_picture_gone"] = asked.first_gone[0]
    if first is not None:
        shown["preview"] = metadata.preview(first.select("record_id", "variant", "emotion", "conversations"))
        shown["sample"] = dg.MetadataValue.md(_conversation(first.row(0, named=True)))
    return shown


def _conversation(record: dict[str, Any]) -> str:
    turns = [f"**{turn['from']}**: {turn['value'].replace('<image>', '`<image>`')}" for turn in record["conversations"]]
    return "\n\n".join([f"`{record['record_id']}`", *turns])


def _findings(store: StoreResource, name: str) -> list[Any]:
    from tinyemo_data.synthesis.measured import read_findings

    return read_findings(store.open(), name)


def _fit_to_learn_from(name: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=instruct_key(name), name="fit_to_learn_from", blocking=True)
    def fit_to_learn_from(store: StoreResource) -> dg.AssetCheckResult:
        """There are records, most replies passed the gates, and their texts are not one text over and over."""
        with failures_for_people():
            found = [one for one in _findings(store, name) if one.blocking]
        broken = [one.sentence for one in found if not one.passed]
        return dg.AssetCheckResult(
            passed=not broken,
            description=" ".join(broken) or "All that blocks holds.",
            metadata={"findings": metadata.records(found)},
        )

    return fit_to_learn_from


def _varied(name: str, has_quota: bool) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=instruct_key(name), name="varied_and_balanced")
    def varied_and_balanced(store: StoreResource) -> dg.AssetCheckResult:
        """Openings, emotions and refusals are within what a reader would not look twice at."""
        with failures_for_people():
            found = [one for one in _findings(store, name) if not one.blocking]
        if has_quota:
            # Beyond what is wanted nothing is asked: drafts without a reply are no lack.
            found = [one for one in found if one.name != "is_complete"]
        broken = [one.sentence for one in found if not one.passed]
        return dg.AssetCheckResult(
            passed=not broken,
            severity=dg.AssetCheckSeverity.WARN,
            description=" ".join(broken) or "Nothing to look twice at.",
            metadata={"findings": metadata.records(found)},
        )

    return varied_and_balanced


def _quota_met(name: str, settings: Settings) -> dg.AssetChecksDefinition:
    wanted = settings.synthesis.sets[name].per_emotion

    @dg.asset_check(asset=instruct_key(name), name="quota_met")
    def quota_met(store: StoreResource) -> dg.AssetCheckResult:
        """Each emotion and task has exactly the number of records that the recipe asks for, where it asks for one."""
        from tinyemo_data.synthesis.funnel import read_funnel

        if wanted is None:
            return dg.AssetCheckResult(passed=True, description="The recipe takes all that there are.")
        with failures_for_people():
            funnel = read_funnel(store.open(), name)
        accepted = funnel.accepted()
        places = {(emotion, task) for emotion in funnel.emotions() for task in funnel.tasks()}
        short = {f"{emotion}, {task}": wanted - accepted.get((emotion, task), 0) for emotion, task in places}
        short = {place: count for place, count in sorted(short.items()) if count > 0}
        return dg.AssetCheckResult(
            passed=not short,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"wanted {wanted} each; " + (f"short by {short}" if short else "all there"),
            metadata={"short": short},
        )

    return quota_met
