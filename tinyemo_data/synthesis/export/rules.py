"""The linter's rules about one record: pure, each break as (rule, what was found)."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from tinyemo_data.synthesis.export.spelling import canonical_label, find_misspelling, labels, predicted_label
from tinyemo_data.synthesis.export.trainer import GPT, HUMAN, IMAGE, IMAGE_TOKENS, MODEL_MAX_LENGTH, breaking, render

Break = tuple[str, str]
CountTokens = Callable[[str], int]
BYTES_A_TOKEN = 3.5  # of English prose under Llama's, Phi's and Qwen's tokenizers, on the careful side
SHOWN = 60  # characters
# A drive, a scheme, or a root: `C:/x`, `https://x`, `/x`, `~/x`.
ABSOLUTE = re.compile(r"[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]*://|[/~]")


def shape_breaks(record: Any) -> Iterator[Break]:
    """Yield what keeps a record from being looked at further."""
    turns = record.get("conversations") if isinstance(record, dict) else None
    if not isinstance(turns, list) or not turns:
        yield "record_shape", _shown(record)
        return
    for turn in turns:
        if not isinstance(turn, dict) or not {"from", "value"} <= turn.keys():
            yield "record_shape", f"the turn {_shown(turn)}"
        elif not isinstance(turn["value"], str):
            yield "value_text", f"a {type(turn['value']).__name__}: {_shown(turn['value'])}"


def turn_breaks(turns: list[dict[str, Any]], stage: int) -> Iterator[Break]:
    """Yield what is wrong with the turns' order and their being empty."""
    roles = [turn["from"] for turn in turns]
    if len(turns) % 2 or roles != [HUMAN, GPT] * (len(turns) // 2):
        yield "turn_order", f"{len(turns)} turns: {', '.join(map(str, roles[:6]))}"
    for place, turn in enumerate(turns):
        # Stage 1 reads no question: LLaVA's own files have a bare <image> there.
        if not turn["value"].replace(IMAGE, "").strip() and not (stage == 1 and place == 0):
            yield "empty_turn", f"turn {place + 1} ({turn['from']}) is {_shown(turn['value'])}"
    if stage == 1 and len(turns) != 2:
        yield "stage1_turns", f"{len(turns)} turns"


def image_token_breaks(turns: list[dict[str, Any]], has_picture: bool) -> Iterator[Break]:
    """Yield what is wrong with the number and the places of <image>."""
    counts = [turn["value"].count(IMAGE) for turn in turns]
    if not has_picture:
        if any(counts):
            yield "image_token_without_picture", f"{sum(counts)} in turns {_places(counts)}"
        return
    if not counts[0]:
        yield "image_token_missing", f"a first turn that begins {_shown(turns[0]['value'])}"
    if any(counts[1:]):
        yield "image_token_misplaced", f"it in turns {_places([0, *counts[1:]])}"
    if sum(counts) > 1:
        yield "image_token_repeated", f"{sum(counts)} in turns {_places(counts)}"


def image_path_breaks(image: Any) -> Iterator[Break]:
    """Yield what is wrong with the picture's path as text."""
    if not isinstance(image, str) or not image.strip():
        yield "image_path", _shown(image)
    elif ABSOLUTE.match(image) or "\\" in image or ".." in image.split("/"):
        yield "image_path", repr(image)


def text_breaks(values: list[str]) -> Iterator[Break]:
    """Yield marks that break the trainer, and labels that no taxonomy spells so."""
    for place, value in enumerate(values):
        mark = breaking(value)
        if mark is not None:
            yield "breaking_text", f"{mark!r} in turn {place + 1}"
        misspelt = find_misspelling(value)
        if misspelt is not None:
            yield "label_spelling", f"'{misspelt}' in turn {place + 1}"
        elif place % 2 and (stated := predicted_label(value)) is not None and stated not in labels():
            known = canonical_label(stated)
            yield "label_spelling", f"'Predicted Label: {stated}'" + (f" for '{known}'" if known else "")


def length_breaks(
    values: list[str], stage: int, has_picture: bool, count_tokens: CountTokens | None
) -> Iterator[Break]:
    """Yield a text that is longer than what the trainer keeps; estimated from its bytes where nothing counts tokens."""
    limit = MODEL_MAX_LENGTH - (IMAGE_TOKENS if has_picture else 0)
    text = render(values, stage)
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    if size <= limit:  # no token is shorter than a byte
        return
    tokens = count_tokens(text) if count_tokens is not None else round(size / BYTES_A_TOKEN)
    if tokens > limit:
        origin = "" if count_tokens is not None else f", estimated at {BYTES_A_TOKEN} bytes a token"
        yield "too_long", f"{tokens:,} tokens of text where {limit:,} fit{origin}"


def _places(counts: list[int]) -> str:
    return ", ".join(str(place + 1) for place, count in enumerate(counts) if count)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
