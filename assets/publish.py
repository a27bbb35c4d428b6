"""`hub/<repository>`: what would be published, staged for a person to look at; sent where that is asked for."""

from collections.abc import Iterable
from typing import Any

import dagster as dg

from assets.bias import BIAS, MITIGATED, REVIEW
from assets.evaluation import CLASSIFICATION
from assets.failures import failures_for_people
from assets.instruct import instruct_key
from assets.leakage import LEAKAGE
from assets.mm_llm import FINETUNED, is_built
from assets.progress import log_progress
from assets.projector import MODEL
from assets.reasoning import REASONING
from assets.resources import StoreResource
from tinyemo_data.settings import HubSettings, Settings, checked

GROUP = "publish"
OWNERS = ["team:data"]
CODE_VERSION = "1"
ON_EVERY_CARD = [LEAKAGE, BIAS, REVIEW, MITIGATED]
ONLY_ASIDE = (
    "hub.publish is true, but this run makes more than repositories, so they are staged alone. Look at them, then "
    "launch the job `publish`, or type `publish: true`."
)


class PublishConfig(dg.Config):
    """What can be chosen for one repository at launch; absent: as the profile says."""

    publish: bool | None = None
    acknowledge_terms: bool | None = None
    pull_request: bool | None = None
    tag: str | None = None

    def over(self, settings: Settings) -> Settings:
        """Return `settings` with what was typed laid over `hub`."""
        typed = {name: value for name, value in self.model_dump().items() if value is not None}
        return settings.model_copy(update={"hub": checked(HubSettings, settings.hub.model_dump() | typed)})

    def for_run(self, settings: Settings, made: Iterable[dg.AssetKey]) -> tuple[Settings, list[str]]:
        """Return the settings of a run that makes the assets `made`, and what is to be told of them.

        A run that makes more than repositories publishes only where `publish` was typed: never as a side effect.
        """
        chosen = self.over(settings)
        if self.publish is not None or not chosen.hub.publish or all(key.path[0] == "hub" for key in made):
            return chosen, []
        staged = chosen.model_copy(update={"hub": chosen.hub.model_copy(update={"publish": False})})
        return staged, [ONLY_ASIDE]


def build_publish(settings: Settings) -> list[Any]:
    """Return the repositories of a profile, and their checks."""
    from tinyemo_data.hub.repository import SETS
    from tinyemo_data.synthesis.recipe import enabled_sets

    made_of = {name: [instruct_key(name)] for name in enabled_sets(settings.synthesis) if name in SETS}
    made_of["projector"] = [MODEL, CLASSIFICATION]
    if is_built(settings):
        made_of["mm_llm"] = [FINETUNED, REASONING]
    definitions: list[Any] = []
    for what, own in made_of.items():
        deps = [*own, *ON_EVERY_CARD]
        definitions += [_repository(what, deps, settings), _nothing_private(what, settings), _may_leave(what, settings)]
    return definitions


def hub_key(what: str) -> dg.AssetKey:
    """Return the asset key of a repository."""
    return dg.AssetKey(["hub", what])


def _repository(what: str, deps: list[dg.AssetKey], settings: Settings) -> dg.AssetsDefinition:
    from tinyemo_data.hub.repository import repository_of

    named = repository_of(what, settings.hub)

    @dg.asset(
        key=hub_key(what),
        group_name=GROUP,
        owners=OWNERS,
        kinds={"huggingface", "safetensors" if named.kind == "model" else "parquet"},
        code_version=CODE_VERSION,
        deps=deps,
        description=f"The {named.kind} repository **{named.id}**, whole, in `{named.folder}/` of the store: card, "
        "licence, manifest and content. Nothing leaves this machine unless `publish` is true (typed here, or "
        "TINYEMO_HUB__PUBLISH); then it is one commit to the Hub, private unless the settings say otherwise, and "
        "files that the Hub has are not sent again.",
    )
    def repository(
        context: dg.AssetExecutionContext, config: PublishConfig, store: StoreResource
    ) -> dg.MaterializeResult:
        from tinyemo_data.hub.release import release

        with failures_for_people():
            opened = store.open()
            chosen, told = config.for_run(settings, context.job_def.asset_layer.executable_asset_keys)
            done = release(opened, chosen, what, context.run.run_id, lambda unit: log_progress(context, unit))
        for line in [*done.lines(), *told]:
            context.log.info(line)
        digest = opened.digest(f"{named.folder}/manifest.json")
        return dg.MaterializeResult(metadata=_shown(done, opened, told), data_version=dg.DataVersion(digest))

    return repository


def _shown(done: Any, store: Any, told: list[str]) -> dict[str, Any]:
    staged = done.staged
    files = "\n".join(f"| {one.path} | {one.bytes:,} | `{one.sha256[:12]}…` |" for one in staged.manifest.files)
    shown: dict[str, Any] = {
        "dagster/uri": str(store.path(staged.repository.folder)),
        "card": dg.MetadataValue.md(staged.card.split("---\n", 2)[-1]),
        "files": dg.MetadataValue.md(f"| file | bytes | SHA-256 |\n| --- | ---: | --- |\n{files}"),
        "bytes": staged.bytes,
        "made_of": staged.manifest.made_from,
        "undecided_slices": len(staged.manifest.undecided_slices),
        "stays_staged": [*told, *(one.sentence for one in done.objections if done.publication is None)],
    }
    published = done.publication
    if published is not None:
        shown |= {
            "published": dg.MetadataValue.url(published.url),
            "revision": published.commit,
            "sent": published.sent,
            "deleted": published.deleted,
            "unchanged": published.unchanged,
            "notes": published.notes,
        }
    return shown


def _nothing_private(what: str, settings: Settings) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=hub_key(what), name="nothing_private", blocking=True)
    def nothing_private(store: StoreResource) -> dg.AssetCheckResult:
        """No picture, thumbnail, path of a machine, key or e-mail address is in what is staged."""
        from tinyemo_data.hub.examination import examine
        from tinyemo_data.hub.files import read_manifest
        from tinyemo_data.hub.repository import repository_of

        with failures_for_people():
            opened, folder = store.open(), repository_of(what, settings.hub).folder
            features = bool(read_manifest(opened, folder).features_of) and settings.hub.features_override
            found = [str(one) for one in examine(opened, folder, features_allowed=features)]
        return dg.AssetCheckResult(passed=not found, description="; ".join(found[:20]), metadata={"found": found})

    return nothing_private


def _may_leave(what: str, settings: Settings) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=hub_key(what), name="may_leave")
    def may_leave(store: StoreResource) -> dg.AssetCheckResult:
        """Nothing but a namespace is missing to publish: terms acknowledged, slices decided, contamination known."""
        from tinyemo_data.hub.files import read_manifest
        from tinyemo_data.hub.permission import objections
        from tinyemo_data.hub.repository import repository_of

        with failures_for_people():
            manifest = read_manifest(store.open(), repository_of(what, settings.hub).folder)
        against = [one for one in objections(manifest, settings.hub) if one.name != "namespace"]
        return dg.AssetCheckResult(
            passed=not against,
            severity=dg.AssetCheckSeverity.WARN,
            description=" ".join(one.sentence for one in against),
            metadata={"objections": [one.name for one in against]},
        )

    return may_leave
