"""The manifest of one dataset's features: the list of shards that are complete, written last.

A shard that no manifest lists does not exist for readers; the manifest appears, in one piece, when all of
its shards are there. It holds no times and no paths, so that equal features give equal bytes.
"""

from pydantic import BaseModel, ConfigDict, ValidationError

from tinyemo_data.errors import FeatureError, StoreError
from tinyemo_data.features.identity import EncoderIdentity, json_digest
from tinyemo_data.features.shard import ShardEntry
from tinyemo_data.store import Store

FEATURES = "features"


class Manifest(BaseModel):
    """One dataset's features under one encoder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    encoder: EncoderIdentity
    fingerprint: str
    rows: int
    shards: list[ShardEntry]


def features_folder(slug: str, dataset: str) -> str:
    """Return the store key of the folder that holds a dataset's features under one encoder."""
    return f"{FEATURES}/{slug}/{dataset}"


def manifest_key(slug: str, dataset: str) -> str:
    """Return the store key of a dataset's manifest."""
    return f"{features_folder(slug, dataset)}/manifest.json"


def write_manifest(store: Store, dataset: str, encoder: EncoderIdentity, shards: list[ShardEntry]) -> Manifest:
    """Publish `shards` as the features of `dataset`."""
    rows = sum(shard.rows for shard in shards)
    manifest = Manifest(dataset=dataset, encoder=encoder, fingerprint=encoder.fingerprint, rows=rows, shards=shards)
    value = manifest.model_dump()
    store.write_json(manifest_key(encoder.slug, dataset), value | {"digest": json_digest(value)})
    return manifest


def read_manifest(store: Store, slug: str, dataset: str) -> Manifest:
    """Read a dataset's manifest. Raises FeatureError where it is absent, damaged or of another dataset."""
    key = manifest_key(slug, dataset)
    if not store.exists(key):
        raise FeatureError(
            f"There are no features of '{dataset}' under the encoder '{slug}' in {store.url} ({key} is not "
            f"there): materialize features/{dataset} first."
        )
    try:
        value = store.read_json(key)
        digest = value.pop("digest", None) if isinstance(value, dict) else None
        manifest = Manifest.model_validate(value)
    except (StoreError, ValidationError) as exc:
        raise FeatureError(_damaged(store, key, dataset, str(exc))) from exc
    if digest != json_digest(manifest.model_dump()) or manifest.dataset != dataset:
        raise FeatureError(_damaged(store, key, dataset, "its digest is not that of its content"))
    return manifest


def _damaged(store: Store, key: str, dataset: str, finding: str) -> str:
    return (
        f"{store.path(key)} is no manifest of features ({finding}). Nothing was read by it: "
        f"materialize features/{dataset} again, which makes it anew from what is intact."
    )


def is_cached(store: Store, slug: str, dataset: str) -> bool:
    """Tell whether features of `dataset` under the encoder `slug` were filled."""
    return store.exists(manifest_key(slug, dataset))


def dataset_names(store: Store, slug: str) -> list[str]:
    """Return the datasets that have a manifest under the encoder `slug`, sorted."""
    folder = store.path(f"{FEATURES}/{slug}")
    if not folder.exists():
        return []
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    return [name for name in names if is_cached(store, slug, name)]


def remove_stale_shards(store: Store, manifest: Manifest) -> list[str]:
    """Remove the shards that `manifest` does not list; return their keys."""
    folder = features_folder(manifest.encoder.slug, manifest.dataset)
    listed = {f"{folder}/{shard.name}" for shard in manifest.shards}
    stale = [key for key in store.keys(folder) if key.rpartition("/")[2].startswith("part-") and key not in listed]
    for key in stale:
        store.remove(key)
    return stale
