"""Labelled features of several datasets from a store: what combines datasets uses those that are at hand."""

from collections.abc import Sequence

from tinyemo_data import sources
from tinyemo_data.errors import StoreError
from tinyemo_data.features.cache import labelled_features
from tinyemo_data.features.manifest import dataset_names, manifest_key, read_manifest
from tinyemo_data.features.table import LabelledFeatures, concatenate
from tinyemo_data.sample import read_samples, samples_key
from tinyemo_data.store import Store


def datasets_at_hand(store: Store, slug: str, wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split `wanted` into the datasets whose samples and features are in the store, and the others.

    Raises StoreError where none is there: there is nothing to combine.
    """
    used = [name for name in wanted if store.exists(samples_key(name)) and store.exists(manifest_key(slug, name))]
    if not used:
        raise StoreError(
            f"None of the datasets {', '.join(wanted)} has features of the encoder {slug} in {store.url}. "
            f"Materialize features/{wanted[0]} first."
        )
    return used, [name for name in wanted if name not in used]


def missing_note(name: str) -> str:
    """Say for people that a dataset was left out, and how it would come in."""
    card = sources.get(name).card
    return (
        f"{name} is not at hand and was left out: lay {card.title} at its raw folder ({card.home}) and "
        f"materialize features/{name}."
    )


def labelled_split(store: Store, slug: str, name: str, split: str) -> LabelledFeatures:
    """Return the labelled features of one split of one dataset, in the order of `sample_id`; perhaps no rows."""
    return labelled_features(store, slug, name, read_samples(store, name), splits=(split,))


def training_features(store: Store, slug: str, wanted: Sequence[str]) -> tuple[LabelledFeatures, list[str], list[str]]:
    """Return the train splits of the datasets at hand, one after the other, with their names and those left out."""
    used, missing = datasets_at_hand(store, slug, wanted)
    return concatenate([labelled_split(store, slug, name, "train") for name in used]), used, missing


def feature_size(store: Store, slug: str) -> int | None:
    """Return the size of the features of the encoder `slug`; None where the store holds none of it."""
    names = dataset_names(store, slug)
    return read_manifest(store, slug, names[0]).encoder.dimension if names else None
