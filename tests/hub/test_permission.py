from pathlib import Path

import numpy as np
import pytest

from tests.hub.world import D, fill_projector
from tinyemo_data.errors import LicenceError
from tinyemo_data.features.identity import released_identity
from tinyemo_data.features.manifest import features_folder, write_manifest
from tinyemo_data.features.shard import write_shard
from tinyemo_data.hub.files import staged_paths
from tinyemo_data.hub.licences import all_licences, licence_of
from tinyemo_data.hub.permission import objections
from tinyemo_data.hub.projector_staging import stage_projector
from tinyemo_data.hub.publishing import check_staged
from tinyemo_data.hub.terms import terms_of, to_acknowledge
from tinyemo_data.settings import HubSettings, Settings
from tinyemo_data.sources import names
from tinyemo_data.store import Store

BACKENDS = ("rules", "anthropic", "anthropic_batches", "openai_compatible", "released")


def test_every_dataset_has_a_licence_entry_and_no_picture_may_leave() -> None:
    assert set(all_licences().datasets) == set(names())
    assert {licence_of(name).pictures for name in names()} == {"never"}
    assert all(one.source and one.found and one.cite for one in all_licences().datasets.values())


@pytest.mark.parametrize("backend", BACKENDS)
def test_terms_are_known_of_every_backend(backend: str) -> None:
    assert terms_of(backend).title != terms_of("a backend of tomorrow").title


def test_terms_of_a_backend_that_nobody_looked_up_must_be_acknowledged() -> None:
    assert to_acknowledge(["rules", "a backend of tomorrow"]) == ["a backend of tomorrow"]


def cache_features(store: Store, dataset: str) -> None:
    encoder = released_identity("some-encoder", D)
    values = np.zeros((3, D), np.float16)
    columns = {"sample_id": [f"{dataset}/{number}" for number in range(3)], "sha256": [f"{n:064x}" for n in range(3)]}
    shard = write_shard(store, features_folder("some-encoder", dataset), 0, columns, values, encoder)
    write_manifest(store, dataset, encoder, [shard])


def learn_from(store: Store, *datasets: str) -> None:
    config = store.read_json("models/projector/config.json")
    store.write_json("models/projector/config.json", {**config, "rows": dict.fromkeys(datasets, 3)})


def test_features_are_staged_on_an_explicit_override_alone_and_never_of_a_stock_agency_s_pictures(
    store: Store, world: Settings
) -> None:
    fill_projector(store)
    learn_from(store, "emoset", "webemo")
    for dataset in ("emoset", "webemo"):
        cache_features(store, dataset)
    plain = stage_projector(store, world)
    assert not any(path.startswith("features/") for path in staged_paths(store, plain.repository.folder))
    allowed = world.model_copy(update={"hub": world.hub.model_copy(update={"features_override": True})})
    staged = stage_projector(store, allowed)
    folders = {Path(path).parts[1] for path in staged_paths(store, staged.repository.folder) if "features/" in path}
    assert folders == {"emoset"} == set(staged.manifest.features_of)
    assert staged.found == [] and "Picture features of emoset are" in staged.card
    assert check_staged(store, staged.repository, allowed.hub).features_of == ["emoset"]


def test_override_that_was_taken_back_keeps_staged_features_here(store: Store, world: Settings) -> None:
    fill_projector(store)
    cache_features(store, "emoset")
    allowed = world.model_copy(update={"hub": world.hub.model_copy(update={"features_override": True})})
    staged = stage_projector(store, allowed)
    assert [one.name for one in objections(staged.manifest, world.hub)] == ["features"]
    with pytest.raises(LicenceError):
        check_staged(store, staged.repository, world.hub)


def test_objections_name_each_thing_once_and_none_where_all_is_said(store: Store, world: Settings) -> None:
    manifest = stage_projector(store, world).manifest
    assert objections(manifest, HubSettings(namespace="me")) == []
    worse = manifest.model_copy(
        update={"generators": ["anthropic", "rules"], "undecided_slices": ["a"], "contamination_measured": False}
    )
    assert [one.name for one in objections(worse, HubSettings())] == [
        "namespace", "terms", "undecided_slices", "contamination",
    ]  # fmt: skip
    assert all(one.sentence.endswith(".") for one in objections(worse, HubSettings()))
