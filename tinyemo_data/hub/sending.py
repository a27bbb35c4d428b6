"""Sending what differs: large files one by one, then one commit that makes all of it visible.

Large files go up by their digests, before anything shows: whoever interrupts that can begin again, and what was
uploaded is not sent twice. The commit lies on top of the very revision that was looked at, or is refused.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tinyemo_data.hub.files import MANIFEST
from tinyemo_data.hub.remote import MAIN, Files, Plan, Remote
from tinyemo_data.hub.repository import Repository
from tinyemo_data.progress import Meter, Report
from tinyemo_data.settings import HubSettings

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

SMALL = 1 << 20  # bytes


def send(
    api: "HfApi",
    repository: Repository,
    hub: HubSettings,
    remote: Remote,
    plan: Plan,
    files: Files,
    run: str,
    report: Report | None = None,
) -> tuple[str | None, str | None]:
    """Send a plan; return the commit, and the address of the pull request where one was asked for.

    The commit is None where there was nothing to send, or where a pull request with this very content is open.
    """
    if not plan.add and not plan.delete:
        return None, None
    message = f"Publish {repository.name}, manifest {files[MANIFEST][1].sha256[:16]}"
    opened = _open_request(api, repository, message) if hub.pull_request else None
    if opened is not None:
        return None, opened
    done = api.create_commit(
        repository.id,
        [*_upload(api, repository, hub, plan, files, report), *_deletions(plan.delete)],
        repo_type=repository.kind,
        commit_message=message,
        commit_description=f"Run {run} of tinyemo-data." if run else "",
        revision=MAIN,
        parent_commit=remote.head,
        create_pr=hub.pull_request,
    )
    return done.oid, done.pr_url


def _open_request(api: "HfApi", repository: Repository, message: str) -> str | None:
    """Return the address of an open pull request with this very content: its title names the manifest's digest."""
    requests = api.get_repo_discussions(
        repository.id, repo_type=repository.kind, discussion_type="pull_request", discussion_status="open"
    )
    return next((one.url for one in requests if one.title == message), None)


def _upload(
    api: "HfApi", repository: Repository, hub: HubSettings, plan: Plan, files: Files, report: Report | None
) -> "list[CommitOperationAdd]":
    """Upload what is large; return what the commit adds. Small files come with the commit itself."""
    meter = Meter(sum(files[path][1].bytes for path in plan.add), report)
    additions = []
    for paths in _batches(plan.add, files):
        batch = [_addition(path, files) for path in paths]
        api.preupload_lfs_files(
            repository.id, batch, repo_type=repository.kind, create_pr=hub.pull_request, free_memory=False
        )
        additions += batch
        meter.advance(sum(files[path][1].bytes for path in paths), paths[-1])
    return additions


def _batches(paths: Sequence[str], files: Files) -> Iterator[list[str]]:
    """Yield the small files together, then each large one, so that its end can be told."""
    small = [path for path in paths if files[path][1].bytes < SMALL]
    yield from ([small] if small else [])
    yield from ([path] for path in paths if path not in small)


def _addition(path: str, files: Files) -> "CommitOperationAdd":
    from huggingface_hub import CommitOperationAdd

    local, entry = files[path]
    addition = CommitOperationAdd(path_in_repo=path, path_or_fileobj=local)
    addition.upload_info.sha256 = bytes.fromhex(entry.sha256)  # known: the file is not read once more for it
    return addition


def _deletions(paths: Sequence[str]) -> "list[CommitOperationDelete]":
    from huggingface_hub import CommitOperationDelete

    return [CommitOperationDelete(path_in_repo=path, is_folder=False) for path in paths]
