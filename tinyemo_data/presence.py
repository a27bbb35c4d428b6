"""Which of a profile's datasets are on this machine, told without reading them."""

from pathlib import Path

from tinyemo_data.settings import Settings
from tinyemo_data.sources.folder import is_junk


def dataset_folder(settings: Settings, name: str) -> Path:
    """Return the folder that a dataset is expected in."""
    chosen = settings.datasets[name]
    return Path(chosen.folder) if chosen.folder else Path(settings.raw) / name


def datasets_present(settings: Settings) -> list[str]:
    """Return the datasets that what combines datasets may wait for, in the profile's order.

    Those whose folder holds something; all of them where the pictures are drawn, and where none is there at all
    (each then says what it lacks). What lies in the store already needs no waiting for.
    """
    if settings.pictures == "drawn":
        return list(settings.datasets)
    present = [name for name in settings.datasets if _holds_something(dataset_folder(settings, name))]
    return present or list(settings.datasets)


def _holds_something(folder: Path) -> bool:
    return folder.is_dir() and any(not is_junk(entry.name) for entry in folder.iterdir())
