"""Thinking: which settings a model takes, and what a thinking block looks like.

Sources: the migration guides of Claude Haiku 5.5 and of Claude Sonnet 5.5, and the models' overview. All three
current models think by default; the text is left out unless it is asked for, and its tokens are paid as output.
"""

import hashlib
import random
from typing import Any

from tinyemo_data.synthesis.rehearsal.api_error import invalid
from tinyemo_data.synthesis.rehearsal.prose import write_prose

EFFORTS = ("low", "medium", "high", "xhigh", "max")
# What beside "adaptive" a model takes, at an effort of "high" or less.
OFF = {"claude-haiku-5-5": "disabled", "claude-sonnet-5-5": "between_tools", "claude-opus-5-5": None}
FEWEST, MOST = 40, 400  # tokens of thinking that are made up


def check_thinking(body: dict[str, Any]) -> None:
    """Raise ApiError for settings of thinking or of effort that a model does not take."""
    effort = (body.get("output_config") or {}).get("effort") or "medium"
    if effort not in EFFORTS:
        raise invalid(f"output_config.effort: Input should be {', '.join(map(repr, EFFORTS))}")
    thinking = body.get("thinking")
    if thinking is None:
        return
    kind = thinking.get("type") if isinstance(thinking, dict) else None
    if kind == "enabled":
        raise invalid('thinking: manual extended thinking is not supported on this model; use {"type": "adaptive"}')
    off = OFF.get(body["model"], "disabled")
    if kind not in ("adaptive", off) or kind is None:
        raise invalid(_how_to_turn_off(off, kind))
    if kind == off and effort in ("xhigh", "max"):
        raise invalid(f"thinking: '{kind}' is not supported at effort '{effort}'")
    if kind == "between_tools" and len(thinking) > 1:
        raise invalid("thinking.between_tools: Extra inputs are not permitted")


def _how_to_turn_off(off: str | None, kind: str | None) -> str:
    if off == "between_tools" and kind == "disabled":
        instead = '"thinking": {"type": "between_tools"} instead of {"type": "disabled"}'
        return f"To turn thinking off on this model, send {instead}."
    if kind == "disabled":
        return "thinking: thinking cannot be disabled on this model"
    return f"thinking: Input tag {kind!r} found using 'type' does not match any of the expected tags"


def may_think(body: dict[str, Any]) -> bool:
    """Tell whether a checked request leaves thinking on."""
    thinking = body.get("thinking")
    return thinking is None or thinking["type"] == "adaptive"


def think(body: dict[str, Any], seed: int) -> tuple[dict[str, Any], int]:
    """Return a thinking block and the tokens of the thinking behind it."""
    chance = random.Random(seed + 1)
    shown = (body.get("thinking") or {}).get("display") == "summarized"
    signature = hashlib.sha256(f"thinking {seed}".encode()).hexdigest()
    block = {"type": "thinking", "thinking": write_prose(chance) if shown else "", "signature": signature}
    return block, chance.randint(FEWEST, MOST)
