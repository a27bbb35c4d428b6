"""Staging a model: its files as they lie in the store, its card, its licence, its manifest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tinyemo_data.audit.leakage import twins_of_training
from tinyemo_data.errors import StagingError, StoreError
from tinyemo_data.hub.biases import Biases, read_biases
from tinyemo_data.hub.card import render
from tinyemo_data.hub.code_identity import code_identity
from tinyemo_data.hub.examination import examine
from tinyemo_data.hub.files import Stage
from tinyemo_data.hub.front_matter import LICENCE_FILE, as_yaml, licence_fields
from tinyemo_data.hub.licence_page import render_licence
from tinyemo_data.hub.licences import licence_rows
from tinyemo_data.hub.repository import Repository
from tinyemo_data.hub.shared_parts import shared_by_cards
from tinyemo_data.hub.staged import Staged
from tinyemo_data.store import Store

CONFIG = "config.json"


@dataclass(frozen=True)
class ModelFacts:
    """What is known of a model that is staged."""

    repository: Repository
    title: str
    template: str  # of its card
    pictures: str  # drawn or real
    front: dict[str, Any]  # fields of the card's front matter, but its licence
    datasets: list[str]  # those that it learnt from
    generators: list[str]  # backends whose answers it learnt from; empty: it learnt from no text
    details: dict[str, Any]  # what the template needs besides
    sources: list[str] = field(default_factory=list)  # keys in the store that the card speaks of
    features_of: list[str] = field(default_factory=list)  # datasets whose features are among its files
    digest: str | None = None  # of a projector: biases found in another one are not told as its own


def stage_model(
    store: Store, facts: ModelFacts, copies: Mapping[str, str], written: Mapping[str, tuple[bytes, Sequence[str]]]
) -> Staged:
    """Stage a model: `copies` maps paths in the repository to keys of the store, `written` to content and its keys.

    Raises LicenceError for a dataset of which nobody knows what may be published, StagingError where there is no file.
    """
    if not copies:
        raise StagingError(f"There is no file of {facts.title} to stage. Materialize the model first.")
    stage = Stage(store, facts.repository.folder)
    for path, key in sorted(copies.items()):
        stage.copy(key, path)
    for path, (content, keys) in sorted(written.items()):
        stage.put(path, content, keys)
    licences, biases = licence_rows(facts.datasets), read_biases(store, facts.digest)
    stage.put(LICENCE_FILE, render_licence(licences, facts.generators).encode())
    card = render_model_card(facts, licences, biases)
    stage.put("README.md", card.encode(), [key for key in facts.sources if store.exists(key)])
    manifest = stage.finish(
        what=facts.repository.what,
        repository=facts.repository.name,
        kind=facts.repository.kind,
        pictures=facts.pictures,
        code=code_identity(),
        prompts={},
        generators=sorted(facts.generators),
        datasets=sorted(facts.datasets),
        features_of=sorted(facts.features_of),
        undecided_slices=[one.slice_id for one in biases.undecided],
        contamination_measured=leakage_is_known(store, facts.datasets),
    )
    found = examine(store, facts.repository.folder, features_allowed=bool(facts.features_of))
    return Staged(facts.repository, manifest, found, card)


def render_model_card(facts: ModelFacts, licences: list[dict[str, str]], biases: Biases) -> str:
    """Return a model's README.md."""
    body = render(
        facts.template,
        title=facts.title,
        pictures=facts.pictures,
        datasets=facts.datasets,
        licences=licences,
        features_of=facts.features_of,
        **facts.details,
        **shared_by_cards(facts.repository, biases, licences),
    )
    return as_yaml({**licence_fields(), **facts.front}) + "\n" + body


def leakage_is_known(store: Store, learnt_from: Sequence[str]) -> bool:
    """Tell whether `leakage` looked at the pictures that the store has now."""
    try:
        twins_of_training(store, learnt_from)
    except StoreError:
        return False
    return True
