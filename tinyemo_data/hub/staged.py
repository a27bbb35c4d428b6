"""What staging gives."""

from dataclasses import dataclass

from tinyemo_data.hub.files import Manifest
from tinyemo_data.hub.found import Found
from tinyemo_data.hub.repository import Repository


@dataclass(frozen=True)
class Staged:
    """A staged repository."""

    repository: Repository
    manifest: Manifest
    found: list[Found]  # what must not leave; empty: it may
    card: str

    @property
    def bytes(self) -> int:
        """Size of its files."""
        return sum(entry.bytes for entry in self.manifest.files)
