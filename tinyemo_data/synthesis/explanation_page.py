"""An explanation on a terminal. What a model wrote is shown as it is: its markup obeyed nowhere, its controls spelt."""

from collections.abc import Iterator
from typing import Any

import orjson
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tinyemo_data.synthesis.explain import Explanation

KEPT_CONTROLS = "\n\t"
UNKNOWN = "not known"


def print_explanation(explanation: Explanation, console: Console) -> None:
    """Print where a record comes from: what it is, what was sent, what came back, what became of it."""
    console.print(Group(*_parts(explanation)))


def _parts(explanation: Explanation) -> Iterator[RenderableType]:
    row = explanation.row
    yield _facts(_outline(explanation))
    request = explanation.request
    if request is not None:
        if request.get("system"):
            yield _panel("System, as sent", str(request["system"]))
        yield _panel("Question, as sent", str(request.get("text", "")))
    if explanation.reply is not None and explanation.reply.raw is not None:
        yield _panel("Raw reply", explanation.reply.raw.decode("utf-8", "replace"))
    if explanation.fields is not None:
        yield _panel("Parsed", orjson.dumps(explanation.fields, option=orjson.OPT_INDENT_2).decode())
    if row["conversations"]:
        yield _panel("Record", "\n".join(f"{turn['from']}: {turn['value']}" for turn in row["conversations"]))
    if row["rejected"]:
        yield _panel("Rejected answer of the pair", str(row["rejected"]))


def _outline(explanation: Explanation) -> Iterator[tuple[str, Any]]:
    row, reply = explanation.row, explanation.reply
    yield "record", row["record_id"]
    yield "set", explanation.set_name
    yield "verdict", _verdict(explanation)
    yield "picture", explanation.picture or f"{row['image']} (not there, or no folder to look into)"
    yield "picture's SHA-256", row["picture_sha256"]
    yield "label", _label(row)
    yield "prompt", f"{explanation.prompt_id}, digest {row['prompt_digest'] or UNKNOWN}"
    yield "variant", row["variant"] or "none"
    yield "request", row["request_digest"]
    yield "model", row["model"]
    yield "backend", (reply.backend if reply else None) or row["generator"]
    yield "batch", (reply.batch_id or "none") if reply else None
    yield "answered", reply.answered_at if reply else None
    if reply is not None and reply.failure:
        yield "failure", reply.failure
    # A record that was imported has no request, and nothing is known of its price.
    yield "tokens", f"{row['input_tokens']:,} in, {row['output_tokens']:,} out" if row["request_digest"] else None
    yield "price", _price(explanation) if row["request_digest"] else None


def _verdict(explanation: Explanation) -> str:
    row = explanation.row
    passed = ", ".join(row["gates"]) or "none"
    if explanation.accepted:
        return f"accepted; gates passed: {passed}"
    return f"rejected by {row['gate']}: {row['reason']}: {row['detail']}; gates passed before: {passed}"


def _label(row: dict[str, Any]) -> str | None:
    if row["emotion"] is None:
        return None
    return f"{row['emotion']} of {row['taxonomy']}, by {row['label_origin'] or UNKNOWN}"


def _price(explanation: Explanation) -> str:
    usd, reply = explanation.row["usd"], explanation.reply
    whole = f", of {reply.usd:.6f} for the whole request" if reply is not None and reply.usd != usd else ""
    return f"{usd:.6f} dollars{whole}"


def _facts(pairs: Iterator[tuple[str, Any]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in pairs:
        table.add_row(Text(name, style="bold"), plain(UNKNOWN if value in (None, "") else str(value)))
    return table


def _panel(title: str, text: str) -> Panel:
    return Panel(plain(text.rstrip()), title=title, title_align="left")


def plain(text: str) -> Text:
    """Return text of strangers: markup is shown as it is, control characters are written out."""
    shown = (one if one in KEPT_CONTROLS or one.isprintable() else ascii(one)[1:-1] for one in text)
    return Text("".join(shown))
