"""`projector/prototypes` and `projector/model`: pictures into a language model's embedding space."""

from typing import Any

import dagster as dg

from assets import metadata
from assets.failures import failures_for_people
from assets.features import features_at_hand
from assets.progress import log_progress
from assets.resources import ClipEncoder, LanguageModel, StoreResource
from tinyemo_data.settings import ProjectorSettings, Settings, checked

GROUP = "projector"
OWNERS = ["team:models"]
CODE_VERSION = "1"
PROTOTYPES = dg.AssetKey(["projector", "prototypes"])
MODEL = dg.AssetKey(["projector", "model"])


class PrototypesConfig(dg.Config):
    """What can be chosen for the prototypes at launch; empty: as the profile says."""

    grounding_text: str = ""


class ProjectorConfig(dg.Config):
    """What can be chosen for the projector at launch; empty or absent: as the profile says."""

    checkpoint: str | None = None
    loss: str | None = None
    temperature: float | None = None
    epochs: int | None = None
    batch_size: int | None = None
    max_learning_rate: float | None = None
    seeds: list[int] | None = None
    class_balancing: bool | None = None

    def over(self, settings: ProjectorSettings) -> ProjectorSettings:
        """Return `settings` with what was typed laid over it."""
        typed = {name: value for name, value in self.model_dump().items() if value is not None}
        return checked(ProjectorSettings, settings.model_dump() | typed)


def build_projector(settings: Settings) -> list[Any]:
    """Return the projector's assets and checks of a profile."""
    return [_prototypes_asset(settings), _labels_told_apart(), _model_asset(settings), _better_than_majority()]


def _prototypes_asset(settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(
        key=PROTOTYPES, group_name=GROUP, owners=OWNERS, kinds={"huggingface", "safetensors"}, code_version=CODE_VERSION
    )
    def prototypes(
        config: PrototypesConfig, store: StoreResource, language_model: LanguageModel
    ) -> dg.MaterializeResult:
        """Label prototypes: the mean input-embedding row of each label's tokens (TinyEmo, §3).

        Only the embedding matrix of the language model is read, never the rest of the model. Without
        `TINYEMO_LANGUAGE_MODEL` a small model is made on the spot.
        """
        from tinyemo_data import charts
        from tinyemo_data.projector.materialize import materialize_prototypes

        with failures_for_people():
            location = {"language_model": language_model.location, "language_model_tokenizer": language_model.tokenizer}
            if language_model.location != settings.language_model:
                # The profile's tokenizer belongs to the profile's model; another one is typed beside another model.
                typed = language_model.tokenizer != settings.language_model_tokenizer
                location["language_model_tokenizer"] = language_model.tokenizer if typed else None
            made = materialize_prototypes(
                store.open(),
                settings.model_copy(update=location),
                config.grounding_text or settings.projector.grounding_text,
            )
        chart = charts.similarity_map(made.prototypes.words, made.similarity)
        return dg.MaterializeResult(
            metadata={
                "language_model": made.prototypes.language_model,
                "width": made.prototypes.embeddings.shape[1],
                "labels": len(made.prototypes.words),
                "tokens": metadata.preview(made.tokens, rows=60),
                "similarity": metadata.picture(chart, "cosine similarity of the label prototypes"),
            },
            data_version=dg.DataVersion(made.prototypes.digest),
        )

    return prototypes


def _model_asset(settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(
        key=MODEL,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"pytorch", "safetensors"},
        code_version=CODE_VERSION,
        deps=[PROTOTYPES, *features_at_hand(settings, settings.projector.train_on)],
    )
    def model(
        context: dg.AssetExecutionContext, config: ProjectorConfig, store: StoreResource, clip_encoder: ClipEncoder
    ) -> dg.MaterializeResult:
        """The Metric Projector, one a seed, learnt from the train splits alone.

        Early stopping looks at a part of train; `validation/` and `test/` never select anything. With
        `projector.checkpoint` released or own weights are imported in place of training.
        """
        from tinyemo_data.features.cache import encoder_slug
        from tinyemo_data.projector.materialize import materialize_projector

        with failures_for_people():
            made = materialize_projector(
                store.open(),
                encoder_slug(clip_encoder.settings()),
                config.over(settings.projector),
                log_progress(context, "epochs"),
            )
        return dg.MaterializeResult(
            metadata=_shown(made, str(store.open().path("models/projector"))),
            data_version=dg.DataVersion(made.ensemble.digest),
        )

    return model


def _shown(made: Any, path: str) -> dict[str, Any]:
    from tinyemo_data import charts

    config = made.config
    shown: dict[str, Any] = {
        "dagster/uri": path,
        "learnt_from": config["rows"] or f"imported from {config['imported_from']}",
        "not_at_hand": made.not_at_hand,
        "language_model": config["language_model"],
        "seeds": config["seeds"],
        "settings": config["settings"],
        "seconds": made.seconds,
    }
    if made.metrics:
        first = made.metrics["seeds"][str(config["seeds"][0])]
        names = ("train_loss", "validation_loss", "validation_top1")
        curves = {name: [epoch[name] for epoch in first["epochs"]] for name in names}
        chart = charts.training_curves(curves, first["best_epoch"])
        shown["training"] = metadata.picture(chart, "losses and accuracy an epoch of the first seed")
        shown["held_out_of_train"] = made.metrics["held_out_of_train"]
    if made.comparison is not None:
        shown["candidates"] = metadata.preview(made.comparison, rows=20)
    return shown


def _labels_told_apart() -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=PROTOTYPES, name="labels_told_apart", blocking=True)
    def labels_told_apart(store: StoreResource) -> dg.AssetCheckResult:
        """No two labels have the same prototype: the nearest label would be a toss of a coin."""
        from tinyemo_data.projector.materialize import closest_pair
        from tinyemo_data.projector.prototypes import read_prototypes

        with failures_for_people():
            first, second, cosine = closest_pair(read_prototypes(store.open()))
        return dg.AssetCheckResult(passed=cosine < 0.9999, metadata={"closest": f"{first}, {second}", "cosine": cosine})

    return labels_told_apart


def _better_than_majority() -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=MODEL, name="better_than_majority")
    def better_than_majority(store: StoreResource) -> dg.AssetCheckResult:
        """On the part of train that was held out for early stopping, the projector beats the largest class."""
        from tinyemo_data.projector.checkpoint import read_metrics

        with failures_for_people():
            held_out = read_metrics(store.open()).get("held_out_of_train")
        if held_out is None:
            return dg.AssetCheckResult(passed=True, description="Imported weights: nothing was held out.")
        return dg.AssetCheckResult(
            passed=held_out["top1"] > held_out["largest_class"],
            severity=dg.AssetCheckSeverity.WARN,
            metadata=held_out,
        )

    return better_than_majority
