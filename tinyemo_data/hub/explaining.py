"""From a published record back to what made it: picture, prompt, request, reply, code, files.

Without the request ledger of those who published it, the reply is known by its digest alone.
"""

import difflib
import io
from dataclasses import dataclass
from pathlib import Path

import orjson
import polars as pl
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tinyemo_data.errors import RecordNotFoundError
from tinyemo_data.hub.published_set import PublishedSet, open_published
from tinyemo_data.hub.rehydration import look_at_place
from tinyemo_data.synthesis.explain import Explanation
from tinyemo_data.synthesis.explanation_page import plain, print_explanation
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.reply import read_reply

WIDTH = 120
LIKE = 2_000  # ids among which the nearest to what was typed is looked for
BEGINNING = 8  # letters that they share with it


@dataclass(frozen=True)
class PublishedExplanation:
    """Where a published record comes from."""

    explanation: Explanation
    published: PublishedSet
    prompt: str | None  # the template's text; None where it is not part of the set

    def print(self, console: Console) -> None:
        """Print all that is known."""
        print_explanation(self.explanation, console)
        manifest, revision = self.published.manifest, self.published.revision
        facts = Table.grid(padding=(0, 2))
        for name, value in (
            ("repository", manifest.repository),
            ("revision", revision or "not known: a folder of this machine"),
            ("made by", f"tinyemo-data {manifest.code['version']}, sources {manifest.code['sha256']}"),
            *((f"made of {key}", digest) for key, digest in manifest.made_from.items()),
        ):
            facts.add_row(Text(name, style="bold"), plain(value))
        console.print(facts)
        if self.prompt is not None:
            console.print(Panel(plain(self.prompt.rstrip()), title="Prompt", title_align="left"))

    def __str__(self) -> str:
        text = io.StringIO()
        self.print(Console(file=text, width=WIDTH))
        return text.getvalue()


def explain_published(
    location: str | Path, record_id: str, ledger: Path | None = None, pictures: Path | None = None
) -> PublishedExplanation:
    """Return where a record of a published set comes from.

    `location` is a folder or a hub id; `ledger` the request ledger of those who made it, where one has it; `pictures`
    a folder that holds a folder a dataset; a picture of other bytes is none. Raises RecordNotFoundError, with the
    nearest id, where there is no such record, and what `open_published` raises.
    """
    published = open_published(location)
    rows = published.scan().filter(pl.col("record_id") == record_id).collect().to_dicts()
    if not rows:
        raise RecordNotFoundError(
            f"The record '{record_id}' is not in {published.manifest.repository}.{_nearest(published, record_id)}"
        )
    row = rows[0]
    picture = None if pictures is None else look_at_place(pictures, row["image"], row["picture_sha256"])[1]
    known = Explanation(
        published.manifest.what, True, row, None if picture is None else Path(picture), None, None, None, None
    )
    if ledger is not None and row["request_digest"]:
        with Ledger(ledger) as opened:
            known = with_reply(known, opened)
    return PublishedExplanation(known, published, published.prompt(row["task"]))


def with_reply(known: Explanation, ledger: Ledger) -> Explanation:
    """Return an explanation with what the ledger knows of its request: what was sent, and what came back."""
    digest = known.row["request_digest"]
    canonical, reply = ledger.canonical(digest), ledger.replies([digest]).get(digest)
    answer = read_reply(reply.raw).text if reply is not None and reply.raw is not None else None
    try:
        fields = orjson.loads(answer or "")
    except orjson.JSONDecodeError:
        fields = None
    request = None if canonical is None else orjson.loads(canonical)
    return Explanation(
        known.set_name, known.accepted, known.row, known.picture, request, reply, answer,
        fields if isinstance(fields, dict) else None,
    )  # fmt: skip


def _nearest(published: PublishedSet, record_id: str) -> str:
    ids = published.scan().select("record_id")
    alike = ids.filter(pl.col("record_id").str.starts_with(record_id[:BEGINNING])).head(LIKE).collect()
    matches = difflib.get_close_matches(record_id, sorted(alike["record_id"]), n=1)
    return f" Did you mean '{matches[0]}'?" if matches else ""
