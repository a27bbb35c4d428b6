"""The audit's files: slices, examples (ids alone), what could not be tested, and `audit/bias_report.json`.

The report names the others by their digests and is written last, so that all belong together.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import orjson
import polars as pl

from tinyemo_data.audit.bias.audited import Audited, NotAudited
from tinyemo_data.audit.bias.evidence import Evidence
from tinyemo_data.audit.bias.findings import SLICE_SCHEMA, BiasFindings
from tinyemo_data.audit.bias.ranking import rank
from tinyemo_data.errors import StoreError
from tinyemo_data.store import Store

SLICES_KEY = "audit/slices.parquet"
EXAMPLES_KEY = "audit/examples.jsonl"
NOT_TESTABLE_KEY = "audit/not_testable.parquet"
REPORT_KEY = "audit/bias_report.json"
DIGESTS = {SLICES_KEY: "slices_sha256", EXAMPLES_KEY: "examples_sha256", NOT_TESTABLE_KEY: "not_testable_sha256"}
# Of all datasets together; what `findings.SLICE_SCHEMA` says, and of which dataset.
WRITTEN_SCHEMA = pl.Schema({"dataset": pl.String(), "taxonomy": pl.String(), **SLICE_SCHEMA})
NOT_TESTABLE_SCHEMA = pl.Schema(
    {name: pl.String() for name in ("dataset", "attribute", "emotion", "statistic", "reason")}
)
APART = {"slices", "weights", "evidence", "settings", "not_testable", "merged", "amplification"}


@dataclass(frozen=True)
class AuditedDataset:
    """One dataset's audit."""

    what: Audited
    findings: BiasFindings


def all_slices(audits: Sequence[AuditedDataset]) -> pl.DataFrame:
    """Return the slices of all datasets (WRITTEN_SCHEMA), with one rank over all flagged ones."""
    parts = [
        audit.findings.slices.with_columns(dataset=pl.lit(audit.what.dataset), taxonomy=pl.lit(audit.what.taxonomy))
        for audit in audits
    ]
    table = pl.concat(parts).select(WRITTEN_SCHEMA.names()).sort("dataset", "attribute", "emotion")
    flagged = table.filter(pl.col("flagged"))
    low = flagged["contrast_boot_low"].fill_null(flagged["d_boot_low"]).cast(pl.Float64).to_numpy()
    places = rank(low, flagged["audit_with"].cast(pl.Float64).to_numpy()) if len(flagged) else np.empty(0)
    ranks = pl.DataFrame({"slice_id": flagged["slice_id"], "place": places.astype(np.int64)})
    joined = table.join(ranks, on="slice_id", how="left", maintain_order="left")
    return joined.with_columns(rank=pl.col("place")).select(WRITTEN_SCHEMA.names())


def write_audit(
    store: Store, audits: Sequence[AuditedDataset], not_audited: Sequence[NotAudited], context: dict[str, Any]
) -> pl.DataFrame:
    """Write the files and return the slices. `context` is told in the report as it is."""
    slices = all_slices(audits)
    store.write_table(SLICES_KEY, slices)
    evidence = [one for audit in audits for one in audit.findings.evidence]
    order = {name: place for place, name in enumerate(slices.filter("flagged").sort("rank")["slice_id"])}
    store.write_bytes(EXAMPLES_KEY, _lines(sorted(evidence, key=lambda one: order[one.slice_id])))
    untold = [{"dataset": audit.what.dataset, **asdict(one)} for audit in audits for one in audit.findings.not_testable]
    store.write_table(NOT_TESTABLE_KEY, pl.DataFrame(untold, schema=NOT_TESTABLE_SCHEMA))
    report = {
        **context,
        "settings": asdict(audits[0].findings.settings),
        "audits": [_told(audit) for audit in audits],
        "not_audited": [asdict(one) for one in not_audited],
        **{name: store.digest(key) for key, name in DIGESTS.items()},
    }
    store.write_json(REPORT_KEY, report)
    return slices


def read_slices(store: Store) -> pl.DataFrame:
    """Return the slices. Raises StoreError where there are none, or others than the report was written with."""
    read_report(store)
    return store.read_table(SLICES_KEY)


def read_examples(store: Store) -> dict[str, Evidence]:
    """Return each flagged slice's pictures to look at, by slice id."""
    lines = store.read_bytes(EXAMPLES_KEY).splitlines()
    names = [field.name for field in fields(Evidence)]
    rows = [orjson.loads(line) for line in lines if line]
    return {row["slice_id"]: Evidence(**{name: row[name] for name in names}) for row in rows}


def read_report(store: Store) -> dict[str, Any]:
    """Return the report. Raises StoreError where there is none, or the other files are not those it names."""
    report: dict[str, Any] = store.read_json(REPORT_KEY)
    for key, name in DIGESTS.items():
        if not store.exists(key) or store.digest(key) != report.get(name):
            raise StoreError(
                f"{store.path(key)} is not the file that {REPORT_KEY} was written with (a run was cut short, or one "
                "of the two was changed). Materialize audit/bias again."
            )
    return report


def _told(audit: AuditedDataset) -> dict[str, Any]:
    findings = audit.findings
    plain = {one.name: getattr(findings, one.name) for one in fields(BiasFindings) if one.name not in APART}
    overall, low, high = findings.amplification
    return {
        "dataset": audit.what.dataset,
        "taxonomy": audit.what.taxonomy,
        "twins_left_out": audit.what.twins,
        **plain,
        "flagged": int(findings.slices["flagged"].sum()),
        "amplification": {"overall": overall, "low": low, "high": high},
        "not_testable": len(findings.not_testable),
        "merged": [asdict(one) for one in findings.merged],
    }


def _lines(evidence: Sequence[Evidence]) -> bytes:
    return b"".join(orjson.dumps(asdict(one), option=orjson.OPT_APPEND_NEWLINE) for one in evidence)
