"""One record through all gates: what every gate's tests ask for."""

from typing import Any

import orjson
import polars as pl

from tinyemo_data.synthesis.gates.columns import TURNS
from tinyemo_data.synthesis.gates.judging import judge, look
from tinyemo_data.synthesis.gates.limits import DEFAULT, Limits
from tinyemo_data.synthesis.subject import Facts

GOOD = "A wooden boat lies on the sand beside a low wall, and the light of noon falls on it from the left."
SCHEMA = pl.Schema(
    {
        "draft_id": pl.String(), "prompt": pl.String(), "variant": pl.String(), "emotion": pl.String(),
        "taxonomy": pl.String(), "options": pl.List(pl.String()), "question": pl.String(), "known": pl.String(),
        "picture_sha256": pl.String(), "conversations": TURNS, "rejected": pl.String(), "stated": pl.String(),
        "named_detail": pl.String(),
    }
)  # fmt: skip


def candidate(
    gpt: str = GOOD,
    human: str = "Describe this picture.",
    *,
    turns: list[tuple[str, str]] | None = None,
    facts: Facts | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Return a row that passes every gate, but for what is changed."""
    row: dict[str, Any] = {
        "draft_id": "fi/1#caption", "prompt": "pretrain/caption", "variant": "", "emotion": "awe",
        "taxonomy": "mikels8", "options": [], "question": human,
        "known": orjson.dumps(facts or Facts()).decode(), "picture_sha256": "ab" * 32,
        "rejected": None, "stated": None, "named_detail": None,
    }  # fmt: skip
    pairs = turns if turns is not None else [("human", f"<image>\n{human}"), ("gpt", gpt)]
    return row | {"conversations": [{"from": who, "value": value} for who, value in pairs]} | changes


def verdicts(rows: list[dict[str, Any]], limits: Limits = DEFAULT) -> list[tuple[str | None, str | None, str | None]]:
    """Return gate, reason and detail of each row; nulls where it passes."""
    looked = look(pl.DataFrame(rows, schema=SCHEMA))
    return [(gate, reason, detail) for gate, reason, detail in judge(looked, limits).iter_rows()]


def reason_of(*args: Any, **changes: Any) -> str | None:
    """Return `gate/reason` of one changed row, or None where it passes."""
    ((gate, reason, detail),) = verdicts([candidate(*args, **changes)])
    assert (gate is None) == (reason is None) == (detail is None)
    return None if gate is None else f"{gate}/{reason}"
