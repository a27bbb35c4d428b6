"""Wording: replies that talk about themselves or their source instead of the picture.

The phrases are data (`wording.yaml`). Refusals are looked for in answers, since somebody who asks may well say that the
picture can't be seen; mentions of the source in all that the model wrote.
"""

import functools
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from tinyemo_data.synthesis.gates.gate import Findings, quote
from tinyemo_data.synthesis.gates.limits import Limits

FILE = Path(__file__).with_name("wording.yaml")


@functools.cache
def phrases(reason: str) -> str:
    """Return the pattern of all phrases that are found for a reason."""
    data: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    names = {name: f"(?:{'|'.join(words)})" for name, words in data["alternatives"].items()}
    patterns = list(data[reason])
    for name, alternatives in names.items():
        patterns = [pattern.replace("{" + name + "}", alternatives) for pattern in patterns]
    return rf"\b(?:{'|'.join(patterns)})\b"


def find_boilerplate(_limits: Limits) -> Findings:
    """Refusals, apologies, and answers to a picture that did not arrive."""
    reasons = {reason: phrases(reason) for reason in ("refusal", "nothing_seen", "assistant_talk")}
    return {name: pl.coalesce(quote("gpt", pattern), quote("worse", pattern)) for name, pattern in reasons.items()}


def find_source_talk(_limits: Limits) -> Findings:
    """Mentions of the notes, captions or labels that the model was given: whoever learns from it has none."""
    return {"source_mentioned": quote("said", phrases("source_mentioned"))}
