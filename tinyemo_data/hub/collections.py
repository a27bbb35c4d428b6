"""The collection on the Hub that groups this project's repositories."""

from typing import TYPE_CHECKING, Literal

from tinyemo_data.hub.repository import Repository
from tinyemo_data.settings import HubSettings

if TYPE_CHECKING:
    from huggingface_hub import HfApi

DESCRIPTION = "Instruct sets and models about the emotions that pictures evoke, made with tinyemo-data."


def group_in_collection(api: "HfApi", repository: Repository, hub: HubSettings, _commit: str) -> None:
    """Put a repository into the collection `hub.collection`, which is made where there is none; once is enough."""
    if hub.collection is None or hub.namespace is None:
        return
    kind: Literal["dataset", "model"] = repository.kind
    holding = api.list_collections(owner=hub.namespace, item=f"{kind}s/{repository.id}")
    if any(collection.title == hub.collection for collection in holding):
        return
    collection = api.create_collection(
        hub.collection, namespace=hub.namespace, description=DESCRIPTION, private=hub.private, exists_ok=True
    )
    api.add_collection_item(collection.slug, repository.id, item_type=kind, exists_ok=True)
