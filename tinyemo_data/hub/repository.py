"""The repositories: what each is called on the Hub, and where it is staged."""

from dataclasses import dataclass
from typing import Literal

from tinyemo_data.errors import StagingError, nearest
from tinyemo_data.settings import HubSettings, RepositoryNames

Kind = Literal["dataset", "model"]

# The instruct sets that are published; others stay in the house.
SETS = ("pretrain", "finetune", "hq")
FOLDER = "hub"
ADDRESS = "https://huggingface.co"


@dataclass(frozen=True)
class Repository:
    """One repository, staged at `hub/<name>/` of the store."""

    what: str  # pretrain, finetune, hq, projector or mm_llm
    name: str
    kind: Kind
    namespace: str | None  # None: nobody to publish as

    @property
    def id(self) -> str:
        """Its id on the Hub; without a namespace, its name."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def folder(self) -> str:
        """The store key of the folder that it is staged in."""
        return f"{FOLDER}/{self.name}"

    def address(self, endpoint: str = ADDRESS) -> str:
        """Return its page on a Hub."""
        return f"{endpoint}/datasets/{self.id}" if self.kind == "dataset" else f"{endpoint}/{self.id}"


def repository_of(what: str, hub: HubSettings) -> Repository:
    """Return the repository of an instruct set, of the projector or of the language model, by its field in settings.

    Raises StagingError where there is no such field.
    """
    known = RepositoryNames.model_fields
    if what not in known:
        raise StagingError(f"There is no repository of '{what}'.{nearest(what, known)} There are {', '.join(known)}.")
    kind: Kind = "dataset" if what in SETS else "model"
    return Repository(what, getattr(hub.repositories, what), kind, hub.namespace)
