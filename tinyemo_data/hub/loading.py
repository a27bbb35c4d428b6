"""Loading published models."""

from pathlib import Path

from tinyemo_data.hub.downloading import find_published
from tinyemo_data.projector.checkpoint import load_checkpoint
from tinyemo_data.projector.ensemble import ProjectorEnsemble
from tinyemo_data.projector.prototypes import read_prototypes
from tinyemo_data.store import Store


def load_projector(location: str | Path) -> ProjectorEnsemble:
    """Return a published projector, verified, from a folder or a hub id (`namespace/name`, `…@revision`).

    Raises HubError where it can't be had, CheckpointError where it is damaged.
    """
    folder = find_published(location, "model").resolve()
    store = Store(folder.parent)
    return load_checkpoint(store, read_prototypes(store, folder.name), folder.name)
