"""Which of a profile's datasets are on this machine, told without reading them."""

from pathlib import Path

from tinyemo_data.sample import samples_key
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store


def dataset_folder(settings: Settings, name: str) -> Path:
    """Return the folder that a dataset is expected in."""
    chosen = settings.datasets[name]
    return Path(chosen.folder) if chosen.folder else Path(settings.raw) / name


def datasets_present(settings: Settings) -> list[str]:
    """Return the datasets that what combines datasets may wait for, in the profile's order.

    Those whose folder is there, or whose Sample table is in the store; all of them where the pictures are drawn,
    and where none is there at all (each then says what it lacks).
    """
    if settings.pictures == "drawn":
        return list(settings.datasets)
    store = Store(settings.store)
    present = [
        name for name in settings.datasets if dataset_folder(settings, name).is_dir() or store.exists(samples_key(name))
    ]
    return present or list(settings.datasets)
