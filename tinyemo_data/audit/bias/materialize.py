"""The bias audit over a store: every dataset that is at hand, into the audit's files."""

import time
from dataclasses import dataclass
from typing import Any

import polars as pl

from tinyemo_data.audit.bias.audit import audit_bias
from tinyemo_data.audit.bias.audited import NotAudited
from tinyemo_data.audit.bias.preparing import Prepared, bias_settings, prepare, refuse_nothing_audited
from tinyemo_data.audit.bias.written import REPORT_KEY, AuditedDataset, write_audit
from tinyemo_data.errors import AuditError
from tinyemo_data.progress import Meter, Report
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store


@dataclass(frozen=True)
class MadeAudit:
    """What was written, and how long it took."""

    slices: pl.DataFrame  # written.WRITTEN_SCHEMA
    audits: list[AuditedDataset]
    not_audited: list[NotAudited]
    report: dict[str, Any]
    seconds: float


def materialize_bias(store: Store, settings: Settings, slug: str, report: Report | None = None) -> MadeAudit:
    """Audit the projector of the store on the profile's datasets, and write `audit/`.

    A dataset in which nothing can be tested is named with the reason and the others are audited. Raises what
    `prepare` raises, and AuditError where nothing can be tested in any.
    """
    began = time.perf_counter()
    prepared = prepare(store, settings, slug)
    audits, not_audited = _audit_each(prepared, settings, report)
    refuse_nothing_audited(audits, not_audited)
    slices = write_audit(store, audits, not_audited, _context(prepared, settings, slug))
    return MadeAudit(slices, audits, not_audited, store.read_json(REPORT_KEY), time.perf_counter() - began)


def _audit_each(
    prepared: Prepared, settings: Settings, report: Report | None
) -> tuple[list[AuditedDataset], list[NotAudited]]:
    meter = Meter(len(prepared.audited), report)
    limits = bias_settings(settings.audit)
    audits: list[AuditedDataset] = []
    not_audited = list(prepared.not_audited)
    for one in prepared.audited:
        try:
            findings = audit_bias(prepared.inputs(one, settings.audit.contrast_seeds), limits)
            audits.append(AuditedDataset(one, findings))
        except AuditError as exc:
            not_audited.append(NotAudited(one.dataset, str(exc)))
        meter.advance(1)
    return audits, not_audited


def _context(prepared: Prepared, settings: Settings, slug: str) -> dict[str, Any]:
    train = prepared.train
    return {
        "profile": settings.name,
        "pictures": settings.pictures,
        "encoder": slug,
        "model_digest": prepared.ensemble.digest,
        "seeds": prepared.ensemble.seeds,
        "contrast_seeds": [course.seed for course in prepared.courses[: settings.audit.contrast_seeds]],
        "learnt_from": {name: train.datasets.count(name) for name in dict.fromkeys(train.datasets)},
    }
