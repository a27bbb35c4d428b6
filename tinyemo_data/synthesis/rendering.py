"""Rendering: drafts and the replies to them become a set's records, rejects and counts.

All of it is a function of the drafts, the replies and the limits: changed parsing or gating costs a rendering and asks
nothing again. Parts stream through: threads parse and gate them, then one after the other, in the drafts' order, they
meet what depends on the records before. How the drafts are cut into parts changes no byte.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl
import pyarrow.parquet as pq

from tinyemo_data.progress import Meter, Report
from tinyemo_data.store import Store
from tinyemo_data.synthesis.diversity import Sampler, TaskDiversity, as_json, measure_diversity
from tinyemo_data.synthesis.draft import Draft, drafts_key
from tinyemo_data.synthesis.draft_file import iterate_drafts
from tinyemo_data.synthesis.funnel import ACCEPTED, WAITING, Funnel
from tinyemo_data.synthesis.gates.limits import DEFAULT, Limits
from tinyemo_data.synthesis.gates.replies import StoredReply
from tinyemo_data.synthesis.record_file import RECORD, REJECT, RecordFile
from tinyemo_data.synthesis.record_rows import as_records, as_rejects
from tinyemo_data.synthesis.records import funnel_key, records_key, rejects_key
from tinyemo_data.synthesis.selection import Place, Quota, Selection
from tinyemo_data.synthesis.sifting import Sifted, sift

PART = 8_192  # drafts
THREADS = 2
NEEDED = [name for name in Draft.column_names() if name != "request"]

Replies = Callable[[Sequence[str]], Mapping[str, StoredReply]]  # of requests, by their digests
Part = tuple[pl.DataFrame, Mapping[str, StoredReply]]


@dataclass(frozen=True)
class Rendered:
    """What a set's drafts and replies became."""

    funnel: Funnel
    diversity: dict[str, TaskDiversity]  # by task

    @property
    def accepted(self) -> dict[Place, int]:
        """Return the number of accepted records by emotion and task: what is missing to a quota is to be drawn."""
        return self.funnel.accepted()


def render_set(
    store: Store,
    name: str,
    replies: Replies,
    *,
    quota: Quota = None,
    limits: Limits = DEFAULT,
    rows_at_once: int = PART,
    report: Report | None = None,
) -> Rendered:
    """Write `instruct/<name>/records.parquet`, `rejects.parquet` and `funnel.json` from the set's drafts.

    `replies` is called from one thread, with the digests of one part. Drafts whose request has no reply yet are counted
    and wait. With a `quota`, records over it are counted and left out. The records appear last; while the files change
    places there are none. Raises StoreError where there are no drafts, PromptError where a prompt was changed since.
    """
    rendering = _Rendering(name, quota, limits)
    meter = Meter(_count_drafts(store, name), report)
    with store.writing(records_key(name)) as records_path:
        with store.writing(rejects_key(name)) as rejects_path:
            with RecordFile(records_path, RECORD) as records, RecordFile(rejects_path, REJECT) as rejects:
                for sifted in _sift_all(_read_parts(store, name, replies, rows_at_once), limits):
                    rendering.take(sifted, records, rejects)
                    meter.advance(sifted.drafts)
            # From here to the end no records are better than records that belong to other rejects.
            store.remove(records_key(name))
        rendered = rendering.finish()
        store.write_json(funnel_key(name), rendered.funnel.as_json() | {"diversity": as_json(rendered.diversity)})
    return rendered


def _count_drafts(store: Store, name: str) -> int:
    with store.open(drafts_key(name)) as file:
        return int(pq.read_metadata(file).num_rows)


def _read_parts(store: Store, name: str, replies: Replies, rows_at_once: int) -> Iterator[Part]:
    for drafts in iterate_drafts(store, name, NEEDED, rows_at_once):
        yield drafts, replies(drafts["request_digest"].to_list())


def _sift_all(parts: Iterable[Part], limits: Limits) -> Iterator[Sifted]:
    """Sift parts on threads, a few at once; yield them in their order. polars and numpy let go of the interpreter."""
    waiting: deque[Future[Sifted]] = deque()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="rendering") as pool:
        try:
            for drafts, replies in parts:
                waiting.append(pool.submit(sift, drafts, replies, limits))
                if len(waiting) > THREADS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


class _Rendering:
    """What is carried from part to part."""

    def __init__(self, name: str, quota: Quota, limits: Limits) -> None:
        self._name = name
        self._selection = Selection(quota, limits.near_duplicate)
        self._funnel = Funnel(name)
        self._sampler = Sampler()

    def take(self, sifted: Sifted, records: RecordFile, rejects: RecordFile) -> None:
        """Decide on the next part, count it and write it."""
        decided = self._selection.decide(sifted.passed, sifted.sketches)
        accepted = decided.filter(pl.col("outcome") == ACCEPTED)
        repeated = decided.filter(pl.col("gate").is_not_null())
        self._funnel.drafts += sifted.drafts
        for rows in (sifted.refused, sifted.failed):
            self._funnel.add(rows.with_columns(outcome="gate"))
        self._funnel.add(decided)
        self._funnel.add(_waiting(sifted.waiting))
        records.add(as_records(accepted, self._name))
        rejects.add(as_rejects([sifted.refused, sifted.failed, repeated], self._name))
        for (task,), rows in accepted.group_by("prompt"):
            self._sampler.add(str(task), rows["record_id"].to_list(), rows["prose"].to_list())

    def finish(self) -> Rendered:
        """Return counts and measurements of all parts."""
        return Rendered(self._funnel, measure_diversity(self._sampler, self._funnel.accepted()))


def _waiting(drafts: pl.DataFrame) -> pl.DataFrame:
    return drafts.with_columns(outcome=pl.lit(WAITING), reason=pl.lit(None, pl.String()), usd=pl.lit(0.0))
