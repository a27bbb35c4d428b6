"""Planning a set: every draft of it, in its seeded order, in one Parquet file.

Subjects stream in and drafts stream out; in between they are sorted on disk, so that memory does not grow with their
number. A request is put together only when its place in the order is known.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from tinyemo_data import taxonomy
from tinyemo_data.errors import TableError
from tinyemo_data.external_sort import ExternalSort
from tinyemo_data.progress import Meter, Report
from tinyemo_data.store import Store
from tinyemo_data.synthesis import draft_file
from tinyemo_data.synthesis.draft_file import iterate_drafts
from tinyemo_data.synthesis.draft_report import Counts, DraftReport
from tinyemo_data.synthesis.draft_rows import Drafter
from tinyemo_data.synthesis.recipe import Recipe, recipe_facts
from tinyemo_data.synthesis.subject import Facts, Subject

__all__ = ["DraftReport", "iterate_drafts", "plan_drafts"]

SPOOLED = 16_384  # drafts that are sorted at a time
HERE = Path(__file__).parent
MODULES = ("draft_rows.py", "drafting.py", "order.py", "output_schema.py", "request.py", "template.py")
CODE = [*(HERE / name for name in MODULES), *sorted((HERE / "tasks").glob("*.py"))]


def plan_drafts(
    store: Store,
    recipe: Recipe,
    subjects: Iterable[Subject],
    origin: str | None = None,
    report: Report | None = None,
) -> DraftReport:
    """Write the drafts of a set, sorted by rank and draft_id, unless they are there already and made of the same.

    `origin` is a digest of all that the subjects come from; with it, an unchanged plan is told without looking at
    any of them. Raises TableError where two subjects have the same id; then, as after any error, what was there
    before is still there.
    """
    fingerprint = _fingerprint(recipe, origin)
    found = _present(store, recipe, fingerprint) if origin is not None else None
    if found is not None:
        return found
    with ExternalSort(("place",)) as spool:
        counts = _spool(Drafter(recipe), subjects, spool)
        if origin is None:
            fingerprint = _fingerprint(recipe, counts.digest)
            found = _present(store, recipe, fingerprint)
        if found is not None:
            return found
        made = counts.report(recipe, fingerprint)
        rows = _rows(Drafter(recipe), spool, Meter(made.rows, report))
        draft_file.write_drafts(store, recipe.name, rows, {"fingerprint": fingerprint, "plan": _as_json(made)})
    return made


def _spool(drafter: Drafter, subjects: Iterable[Subject], spool: ExternalSort) -> Counts:
    """Put each draft's place beside its subject, sorted by place."""
    names = [prompt.id.partition("/")[2] for prompt in drafter.recipe.prompts]
    counts = Counts()
    places: list[str] = []
    numbers: list[int] = []
    lines: list[bytes] = []
    for subject in subjects:
        line = _pack(subject)
        drafts = list(drafter.places(subject))
        counts.add(subject, line, [names[number] for _, _, number, _ in drafts])
        for rank, draft_id, number, _ in drafts:
            places.append(f"{rank:016x}{draft_id}")
            numbers.append(number)
            lines.append(line)
        if len(places) >= SPOOLED:
            spool.add(_spooled(places, numbers, lines))
            places, numbers, lines = [], [], []
    if places:
        spool.add(_spooled(places, numbers, lines))
    return counts


def _spooled(places: list[str], numbers: list[int], lines: list[bytes]) -> pl.DataFrame:
    return pl.DataFrame(
        {"place": places, "number": numbers, "subject": lines},
        schema={"place": pl.String, "number": pl.UInt8, "subject": pl.Binary},
    )


def _rows(drafter: Drafter, spool: ExternalSort, meter: Meter) -> Iterator[dict[str, Any]]:
    """Yield the rows of the Draft table in their order."""
    last = None
    for table in spool.in_order():
        for place, number, line in table.iter_rows():
            if place == last:
                raise TableError(
                    f"Drafts of {drafter.recipe.name}: two subjects have the id of {place[16:]!r}, expected one. "
                    "Materialize the samples of its dataset again."
                )
            last = place
            yield drafter.row(_unpack(line), int(place[:16], 16), place[16:], number)
        meter.advance(len(table))


def _pack(subject: Subject) -> bytes:
    return orjson.dumps(subject)


def _unpack(line: bytes) -> Subject:
    subject: dict[str, Any] = orjson.loads(line)
    facts = subject["facts"]
    facts["objects"] = tuple(facts["objects"])
    facts["dominant_colours"] = tuple((colour, share) for colour, share in facts["dominant_colours"])
    return Subject(**{**subject, "facts": Facts(**facts)})


def _fingerprint(recipe: Recipe, origin: str | None) -> str:
    """Return a digest of all that decides the drafts: recipe, prompts, labels, this code, and the subjects."""
    digest = hashlib.sha256(orjson.dumps(recipe_facts(recipe), option=orjson.OPT_SORT_KEYS))
    for path in [*CODE, taxonomy.TAXONOMIES]:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    digest.update(str(origin).encode())
    return digest.hexdigest()


def _present(store: Store, recipe: Recipe, fingerprint: str) -> DraftReport | None:
    """Return what the plan that is there holds, if it is the wanted one."""
    notes = draft_file.read_notes(store, recipe.name)
    if notes.get("fingerprint") != fingerprint:
        return None
    return DraftReport(**{**orjson.loads(notes["plan"]), "made": False})


def _as_json(made: DraftReport) -> str:
    return orjson.dumps(made, option=orjson.OPT_SORT_KEYS).decode()
