"""A published repository on this machine: a folder, or a copy of what lies on the Hub."""

from pathlib import Path

from tinyemo_data.errors import HubError
from tinyemo_data.hub.repository import Kind

ID = "`namespace/name`, or `namespace/name@revision`"


def find_published(location: str | Path, kind: Kind) -> Path:
    """Return the folder of a published repository, downloading it where `location` is a hub id.

    `namespace/name@revision` asks for a tag, a branch or a commit. Raises HubError where there is neither.
    """
    folder = Path(location).expanduser()
    if folder.is_dir():
        return folder
    name, _, revision = str(location).partition("@")
    if name.count("/") != 1:
        raise HubError(f"There is no folder {location}, and it is no id of the Hub: give a folder, or {ID}.")
    from huggingface_hub import snapshot_download

    from tinyemo_data.hub.refusals import told_for_people

    with told_for_people(name, "download"):
        return Path(snapshot_download(name, repo_type=kind, revision=revision or None))
