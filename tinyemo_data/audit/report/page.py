"""The page as a whole: facts from the audit's files into the template."""

import functools
from pathlib import Path
from typing import Any

import jinja2
import polars as pl

from tinyemo_data.audit.bias.evidence import Evidence
from tinyemo_data.audit.bias.written import (
    NOT_TESTABLE_KEY,
    read_examples,
    read_report,
    read_slices,
)
from tinyemo_data.audit.report.forest import forest
from tinyemo_data.audit.report.heat_map import heat_map
from tinyemo_data.audit.report.panels import PANELS, flagged_rows, panel
from tinyemo_data.audit.report.points import association_cloud, volcano
from tinyemo_data.audit.report.thumbnails import thumbnails
from tinyemo_data.audit.report.words import interval, pair, plural, signed, small
from tinyemo_data.audit.review.state import STATE_KEY, ReviewState, read_state
from tinyemo_data.errors import ReviewError
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store

PAGE_KEY = "audit/report.html"
TEMPLATES = Path(__file__).parent / "templates"
LISTED = 100  # pairs in the table of figures
REASONS = 60  # groups of pairs that could not be tested


def write_page(store: Store, settings: Settings) -> bytes:
    """Write `audit/report.html` of the audit in the store, with decisions where they are of it, and return it.

    Raises StoreError where there is no audit. Equal files give equal bytes.
    """
    content = render_page(store, settings).encode()
    store.write_bytes(PAGE_KEY, content)
    return content


def render_page(store: Store, settings: Settings) -> str:
    """Return the page."""
    report, slices, examples = read_report(store), read_slices(store), read_examples(store)
    flagged = flagged_rows(slices)
    linked = [row["slice_id"] for row in flagged]
    limits, state = report["settings"], _state(store)
    names = [one["dataset"] for one in report["audits"]]
    shown = thumbnails(store, settings, _ids(examples, linked))
    return _environment().get_template("report.html.j2").render(
        report=report,
        limits=limits,
        audits=report["audits"],
        state=state,
        flagged=int(slices["flagged"].sum()),
        more_flagged=max(int(slices["flagged"].sum()) - PANELS, 0),
        heat_maps=[heat_map(slices, name, limits, linked) for name in names],
        forest=forest(slices, limits["delta_model"], linked),
        association=association_cloud(slices, limits),
        volcano=volcano(slices, limits),
        panels=[panel(row, examples.get(row["slice_id"]), shown, state) for row in flagged],
        listed=_listed(slices),
        pairs=len(slices),
        untold=_untold(store),
        style=(TEMPLATES / "style.css").read_text(encoding="utf-8"),
    )  # fmt: skip


def _state(store: Store) -> ReviewState | None:
    """Return the review's state where it is of this audit."""
    try:
        return read_state(store) if store.exists(STATE_KEY) else None
    except ReviewError:
        return None


def _ids(examples: dict[str, Evidence], linked: list[str]) -> list[str]:
    return [one for name in linked if name in examples for one in (*examples[name].examples, *examples[name].controls)]


def _listed(slices: pl.DataFrame) -> list[dict[str, Any]]:
    return slices.sort("rank", "p", "p_model", "slice_id", nulls_last=True).head(LISTED).to_dicts()


def _untold(store: Store) -> dict[str, Any]:
    """Return what could not be tested, the pairs of one attribute and statistic together."""
    table = store.read_table(NOT_TESTABLE_KEY)
    grouped = (
        table.group_by("dataset", "attribute", "statistic")
        .agg(emotions=pl.col("emotion").drop_nulls().sort(), reason=pl.col("reason").sort().first(), pairs=pl.len())
        .sort("dataset", "attribute", "statistic")
    )
    return {"pairs": len(table), "groups": len(grouped), "rows": grouped.head(REASONS).to_dicts()}


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"signed": signed, "small": small, "pair": pair}
    environment.globals |= {"plural": plural, "interval": interval}
    return environment
