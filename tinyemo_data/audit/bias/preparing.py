"""From a store to the inputs of every audit: one audit a dataset, all of one projector."""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass

import polars as pl

from tinyemo_data.audit.bias.audited import Audited, NotAudited, attributes_of, find_audited, known_attributes
from tinyemo_data.audit.bias.captions import words_of_captions
from tinyemo_data.audit.bias.gathering import gather_inputs
from tinyemo_data.audit.bias.inputs import BiasInputs
from tinyemo_data.audit.bias.retraining import Retraining
from tinyemo_data.audit.bias.settings import BiasSettings
from tinyemo_data.audit.groups import group_of_samples
from tinyemo_data.audit.leakage import PAIRS_KEY, twins_of_training
from tinyemo_data.errors import AuditError
from tinyemo_data.evaluation.materialize import refuse_other_training_rows
from tinyemo_data.features.gather import datasets_at_hand, missing_note, training_features
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector.batches import digest_of_data
from tinyemo_data.projector.checkpoint import load_checkpoint, read_config
from tinyemo_data.projector.ensemble import ProjectorEnsemble
from tinyemo_data.projector.prototypes import Prototypes, read_prototypes
from tinyemo_data.projector.seeds import train_ensemble
from tinyemo_data.projector.training import TrainedProjector
from tinyemo_data.settings import AuditSettings, ProjectorSettings, Settings
from tinyemo_data.store import Store


@dataclass(frozen=True)
class Prepared:
    """The projector, what it learnt from, and what is to be audited."""

    ensemble: ProjectorEnsemble
    prototypes: Prototypes  # before any centring
    settings: ProjectorSettings  # that the projector was trained with
    courses: list[TrainedProjector]  # finished, one a seed; empty where weights were imported
    train: LabelledFeatures
    twins: Mapping[str, Set[str]]  # pictures of each dataset with a twin in a training split
    groups: pl.DataFrame
    audited: list[Audited]
    not_audited: list[NotAudited]
    attributes: dict[str, pl.DataFrame]  # by taxonomy
    captions: Mapping[str, Collection[str]] | None

    def inputs(self, one: Audited, contrast_seeds: int) -> BiasInputs:
        """Return the inputs of one dataset's audit; with imported weights there is no contrast."""
        attributes = known_attributes(self.attributes[one.taxonomy], one.pictures.sample_ids)
        captions = self.captions
        if captions is not None and not any(sample_id in captions for sample_id in one.pictures.sample_ids):
            captions = None
        return gather_inputs(
            self.ensemble,
            self.train,
            one.pictures,
            attributes,
            self.groups,
            digest_of_data(one.pictures),
            self._retraining(contrast_seeds) if self.courses else None,
            captions=captions,
        )

    def _retraining(self, count: int) -> Retraining:
        courses = self.courses[:count]
        settings = self.settings.model_copy(update={"seeds": [course.seed for course in courses]})
        return Retraining(self.prototypes, settings, courses)


def prepare(store: Store, settings: Settings, slug: str) -> Prepared:
    """Read what the profile's audits need. `slug` names the encoder whose features are read.

    Raises CheckpointError where the projector is not there or learnt from other rows, StoreError where leakage was
    not looked for, AuditError where no dataset can be audited.
    """
    config, prototypes = read_config(store), read_prototypes(store)
    ensemble = load_checkpoint(store, prototypes, encoder=slug)
    refuse_other_training_rows(store, slug, config)
    learnt = ProjectorSettings.model_validate(config["settings"])
    imported = config["imported_from"] is not None
    trained_on = list(config["rows"] or learnt.train_on)
    train, _, _ = training_features(store, slug, trained_on)
    courses = [] if imported else train_ensemble(train, prototypes, learnt, store).courses
    wanted = settings.audit.datasets or list(settings.datasets)
    used, missing = datasets_at_hand(store, slug, wanted)
    twins = twins_of_training(store, trained_on, compared=[*used, *trained_on])
    found = [find_audited(store, slug, name, train, twins[name]) for name in used]
    audited = [one for one in found if isinstance(one, Audited)]
    not_audited = [NotAudited(name, missing_note(name)) for name in missing]
    not_audited += [one for one in found if isinstance(one, NotAudited)]
    refuse_nothing_audited(audited, not_audited)
    return Prepared(
        ensemble,
        prototypes,
        learnt,
        courses,
        train,
        twins,
        group_of_samples(store.read_table(PAIRS_KEY)),
        audited,
        not_audited,
        _attributes(store, slug, audited, train, settings.audit.min_support),
        words_of_captions(store, settings.audit.caption_set) if settings.audit.caption_set else None,
    )


def bias_settings(chosen: AuditSettings) -> BiasSettings:
    """Return the profile's limits as the library takes them."""
    return BiasSettings(**chosen.model_dump(include=set(BiasSettings.__dataclass_fields__)))


def refuse_nothing_audited(audited: Sequence[object], not_audited: Sequence[NotAudited]) -> None:
    """Raise AuditError where no dataset is left to audit, with each one's reason."""
    if not audited:
        told = " ".join(f"{one.dataset}: {one.reason}" for one in not_audited)
        raise AuditError(f"No dataset could be audited. {told}")


def _attributes(
    store: Store, slug: str, audited: list[Audited], train: LabelledFeatures, least: int
) -> dict[str, pl.DataFrame]:
    names = sorted({one.taxonomy for one in audited})
    return {
        name: attributes_of(store, slug, name, [one for one in audited if one.taxonomy == name], train, least)
        for name in names
    }
