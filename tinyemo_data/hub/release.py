"""One repository from the store to what it comes to: staged, and, where that was asked for and may be, published."""

from collections.abc import Callable
from dataclasses import dataclass

from tinyemo_data.hub.permission import Objection, objections
from tinyemo_data.hub.publishing import Publication, publish
from tinyemo_data.hub.staged import Staged
from tinyemo_data.hub.staging import stage_set
from tinyemo_data.progress import Report
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store

Reports = Callable[[str], Report | None]  # of a unit (records, bytes): where its progress goes


@dataclass(frozen=True)
class Release:
    """What became of one repository."""

    staged: Staged
    objections: list[Objection]  # what stands against publishing it
    publication: Publication | None  # None: it stays staged

    def lines(self) -> list[str]:
        """Say for people what became of it."""
        name, files = self.staged.repository.name, len(self.staged.manifest.files)
        lines = [f"{name}: {files} files, {self.staged.bytes:,} bytes staged"]
        lines += [f"{name} must not leave as it is: {found}" for found in self.staged.found]
        if self.publication is None:
            return lines + [f"{name} stays staged: {one.sentence}" for one in self.objections]
        done = self.publication
        sent = f"{len(done.sent)} files sent, {len(done.deleted)} deleted, {done.unchanged} as they were"
        return [*lines, f"{name}: {done.url} ({sent})", *done.notes]


def release(
    store: Store,
    settings: Settings,
    what: str,
    run: str = "",
    reports: Reports = lambda _unit: None,
) -> Release:
    """Stage a repository (pretrain, finetune, hq, projector or mm_llm); publish it where `hub.publish` is true.

    What may not leave yet stays staged, and `objections` says why. Raises what staging and publishing raise, of which
    LicenceError: a staged file holds what must never leave.
    """
    staged = _stage(store, settings, what, reports)
    against = objections(staged.manifest, settings.hub)
    if not settings.hub.publish or (against and not staged.found):
        return Release(staged, against, None)
    return Release(staged, against, publish(store, staged.repository, settings.hub, run, reports("bytes")))


def _stage(store: Store, settings: Settings, what: str, reports: Reports) -> Staged:
    if what == "projector":
        from tinyemo_data.hub.projector_staging import stage_projector

        return stage_projector(store, settings)
    if what == "mm_llm":
        from tinyemo_data.hub.language_model_staging import stage_language_model

        return stage_language_model(store, settings)
    return stage_set(store, settings, what, reports("records"))
