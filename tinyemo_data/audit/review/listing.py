"""Which slices were ever shown to people, and with which effect: `audit/listed.json`.

It tells a slice of an earlier audit from a misspelt id, and what an effect was when somebody decided about it.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson
import polars as pl

from tinyemo_data.audit.review.file import ReviewFile
from tinyemo_data.audit.review.terms import TOLD, WRITTEN
from tinyemo_data.errors import ReviewError
from tinyemo_data.store import Store

LISTED_KEY = "audit/listed.json"


@dataclass(frozen=True)
class Shown:
    """A slice as people saw it; effects in standard deviations of the margin, null where they could not be told."""

    dataset: str
    attribute: str
    emotion: str
    pictures: int | None
    d: float | None
    d_low: float | None
    d_high: float | None
    d_contrast: float | None
    written: str = ""  # digest of what people wrote about it

    @property
    def pair(self) -> str:
        """Return what it is, for people."""
        return f"{self.attribute} → {self.emotion}"

    def moved_to(self, now: "Shown") -> bool:
        """Tell whether the effect is now outside the 95 % interval that it had here."""
        if self.d is None or self.d_low is None or self.d_high is None:
            return now.d is not None
        return now.d is None or not self.d_low <= now.d <= self.d_high


def shown_slices(slices: pl.DataFrame) -> dict[str, Shown]:
    """Return the slices of the audit's table as they are shown now, by id."""
    rows = slices.select("slice_id", *TOLD).iter_rows(named=True)
    return {row.pop("slice_id"): Shown(**row) for row in (dict(row) for row in rows)}


def read_listed(store: Store) -> dict[str, Shown]:
    """Return what was listed so far, by slice id."""
    if not store.exists(LISTED_KEY):
        return {}
    try:
        return {name: Shown(**row) for name, row in store.read_json(LISTED_KEY).items()}
    except (TypeError, AttributeError) as exc:
        mend = "Delete it; slices of earlier audits are then unknown."
        raise ReviewError(f"{store.path(LISTED_KEY)} is not as it was written ({exc}). {mend}") from exc


def write_listed(store: Store, listed: dict[str, Shown]) -> None:
    """Write what was listed."""
    value: dict[str, Any] = {name: asdict(one) for name, one in listed.items()}
    store.write_json(LISTED_KEY, value)


def listed_now(
    before: Mapping[str, Shown], now: Mapping[str, Shown], flagged: Collection[str], written: Mapping[str, str]
) -> dict[str, Shown]:
    """Return what is listed from now on.

    `written` holds a digest of what people wrote about a slice. What they wrote first is about the slice as it was
    shown before; what they change later is about the slice as it is now.
    """
    listed = dict(before)
    for name in {*flagged, *written}:
        old, words = before.get(name), written.get(name, "")
        if name in now and (old is None or not words or old.written not in ("", words)):
            listed[name] = replace(now[name], written=words)
        elif old is not None:
            listed[name] = replace(old, written=words)
    return listed


def written_about(file: ReviewFile) -> dict[str, str]:
    """Return a digest of what people wrote about each slice."""
    words: dict[str, list[list[str]]] = {}
    for row in file.rows:
        if not row.is_untouched:
            words.setdefault(row["slice_id"], []).append([row[name] for name in WRITTEN])
    return {name: hashlib.sha256(orjson.dumps(cells)).hexdigest()[:16] for name, cells in words.items()}
