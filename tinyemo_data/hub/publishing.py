"""Publishing: a staged repository onto the Hub, in one commit, unchanged files not sent again."""

import datetime
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tinyemo_data.errors import HubError, LicenceError, StagingError
from tinyemo_data.hub.client import open_hub
from tinyemo_data.hub.collections import group_in_collection
from tinyemo_data.hub.examination import refuse_private
from tinyemo_data.hub.files import MANIFEST, FileEntry, Manifest, differences, read_manifest
from tinyemo_data.hub.permission import objections
from tinyemo_data.hub.receipts import Receipt, add_receipt
from tinyemo_data.hub.refusals import told_for_people
from tinyemo_data.hub.remote import Files, Remote, plan_of, published_paths, read_remote
from tinyemo_data.hub.repository import Repository
from tinyemo_data.hub.sending import send
from tinyemo_data.progress import Report
from tinyemo_data.settings import HubSettings
from tinyemo_data.store import Store

if TYPE_CHECKING:
    from huggingface_hub import HfApi


@dataclass(frozen=True)
class Publication:
    """What publishing came to."""

    repository: Repository
    commit: str
    url: str
    sent: list[str]  # empty: the Hub has it already
    deleted: list[str]
    unchanged: int
    pull_request: str | None = None
    notes: list[str] = field(default_factory=list)  # what did not work beside the commit


def publish(
    store: Store, repository: Repository, hub: HubSettings, run: str = "", report: Report | None = None
) -> Publication:
    """Publish a staged repository; `run` names the run of the graph that asks for it.

    Raises StagingError where it does not lie as it was staged, LicenceError where it may not leave, HubError where the
    Hub can't be reached or refuses; what the Hub shows is then as it was before.
    """
    manifest = check_staged(store, repository, hub)
    with ExitStack() as kept, told_for_people(repository.id, "publish"):
        files = _local_files(store, repository, manifest, kept)
        api = kept.enter_context(open_hub())
        api.create_repo(repository.id, repo_type=repository.kind, private=hub.private, exist_ok=True)
        remote = read_remote(api, repository)
        _refuse_public(repository, remote, hub)
        _refuse_taken_tag(api, repository, remote, hub, files)
        plan = plan_of(files, remote, published_paths(api, repository, remote))
        commit, request = send(api, repository, hub, remote, plan, files, run, report)
        notes = _after(api, repository, hub, commit or remote.head)
    at = commit or remote.head
    url = request or f"{repository.address(api.endpoint)}/tree/{at}"
    sent, deleted = (plan.add, plan.delete) if commit else ([], [])
    done = Publication(repository, at, url, sent, deleted, len(files) - len(sent), request, notes)
    if commit:
        add_receipt(store, repository.name, _receipt(done, hub, files[MANIFEST][1].sha256, run))
    return done


def check_staged(store: Store, repository: Repository, hub: HubSettings) -> Manifest:
    """Return the manifest of a staged repository that may leave. Raises StagingError or LicenceError."""
    manifest = read_manifest(store, repository.folder)
    # First, so that a planted picture or key is named as such, and not as a file too many.
    refuse_private(store, repository.folder, features_allowed=bool(manifest.features_of) and hub.features_override)
    changed = differences(store, repository.folder, manifest)
    if changed:
        raise StagingError(
            f"{store.path(repository.folder)} is not as it was staged: {'; '.join(changed[:10])}. Stage it again."
        )
    against = objections(manifest, hub)
    if against:
        raise LicenceError(
            f"{repository.name} stays staged, in {store.path(repository.folder)}: "
            + " ".join(one.sentence for one in against)
        )
    return manifest


def _local_files(store: Store, repository: Repository, manifest: Manifest, kept: ExitStack) -> Files:
    """Return every file to publish as a file of this machine, with its digest; the manifest is one of them."""
    key = f"{repository.folder}/{MANIFEST}"
    size, sha256 = int(store.path(key).stat().st_size), store.digest(key)
    itself = FileEntry(path=MANIFEST, bytes=size, sha256=sha256, made_from=[])
    return {
        entry.path: (kept.enter_context(store.local(f"{repository.folder}/{entry.path}")), entry)
        for entry in [*manifest.files, itself]
    }


def _refuse_public(repository: Repository, remote: Remote, hub: HubSettings) -> None:
    if hub.private and not remote.private:
        raise HubError(
            f"{repository.id} is public on the Hub, and hub.private is true. Make it private there, or set hub.private "
            "(TINYEMO_HUB__PRIVATE) to false."
        )


def _refuse_taken_tag(api: "HfApi", repository: Repository, remote: Remote, hub: HubSettings, files: Files) -> None:
    """Raise HubError where the tag names a revision of other content: before anything is sent."""
    if hub.tag is None or hub.pull_request:
        return
    refs = api.list_repo_refs(repository.id, repo_type=repository.kind)
    taken = {ref.name: ref.target_commit for ref in refs.tags}.get(hub.tag)
    if taken is None:
        return
    tagged = remote if taken == remote.head else read_remote(api, repository, hub.tag)
    if plan_of(files, tagged, []).add:
        raise HubError(f"{repository.id} has a tag {hub.tag} already, of other content. Choose another hub.tag.")


def _after(api: "HfApi", repository: Repository, hub: HubSettings, commit: str) -> list[str]:
    """Tag the commit and group the repository; return what did not work: the commit stands, and a rerun mends it."""
    notes = []
    for doing, act in (("tag", _tag), ("group in a collection", group_in_collection)):
        try:
            with told_for_people(repository.id, doing):
                act(api, repository, hub, commit)
        except HubError as exc:
            notes.append(str(exc))
    return notes


def _tag(api: "HfApi", repository: Repository, hub: HubSettings, commit: str) -> None:
    if hub.tag is None or hub.pull_request:
        return
    refs = api.list_repo_refs(repository.id, repo_type=repository.kind)
    if hub.tag not in {ref.name for ref in refs.tags}:
        api.create_tag(repository.id, tag=hub.tag, revision=commit, repo_type=repository.kind, exist_ok=True)


def _receipt(done: Publication, hub: HubSettings, manifest: str, run: str) -> Receipt:
    return Receipt(
        commit=done.commit,
        url=done.url,
        manifest_sha256=manifest,
        private=hub.private,
        pull_request=done.pull_request,
        tag=hub.tag,
        run=run,
        at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        sent=done.sent,
        deleted=done.deleted,
    )
