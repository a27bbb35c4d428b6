"""A store with the drafts of a set, and a reply to each of them: what the tests of rendering begin with."""

import dataclasses
import hashlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from tinyemo_data import taxonomy
from tinyemo_data.store import Store
from tinyemo_data.synthesis.draft_file import iterate_drafts
from tinyemo_data.synthesis.drafting import plan_drafts
from tinyemo_data.synthesis.ledger import StoredReply
from tinyemo_data.synthesis.prompt import load_prompt, prompt_ids
from tinyemo_data.synthesis.recipe import Recipe
from tinyemo_data.synthesis.subject import Facts, Subject

LABELS = taxonomy.get("mikels8").labels
WORDS = [f"{first}{second}" for first in ("barn", "gate", "sail", "leaf", "road", "rope", "well", "wall") for second in
         ("board", "stone", "light", "line", "edge", "side", "top", "field")]  # fmt: skip
Replies = dict[str, StoredReply]
Write = Callable[[Mapping[str, Any], random.Random], dict[str, Any]]  # of a draft, the fields of a reply


def plan(store: Store, name: str, pictures: int = 16, draws: int = 1) -> list[dict[str, Any]]:
    """Plan the drafts of a set about so many pictures; return them in their order."""
    prompts = tuple(load_prompt(one) for one in prompt_ids() if one.startswith(f"{name}/"))
    recipe = Recipe(name, prompts, ("fi",), "anthropic", "m", 512, None, 0, draws=draws)
    plan_drafts(store, recipe, subjects(pictures))
    return drafts_of(store, name)


def drafts_of(store: Store, name: str) -> list[dict[str, Any]]:
    """Return a set's drafts in their order."""
    return [row for part in iterate_drafts(store, name) for row in part.iter_rows(named=True)]


def subjects(count: int) -> Iterator[Subject]:
    """Yield labelled pictures of which little is known."""
    for number in range(count):
        sha = hashlib.sha256(str(number).encode()).hexdigest()
        facts = Facts(brightness=0.5, width=500, height=400)
        yield Subject(
            f"fi/{number:03d}", "fi", f"{number:03d}.jpg", sha, LABELS[number % 8], "mikels8", "annotators", facts
        )


def sentences(draw: random.Random, count: int) -> str:
    """Return up to ten sentences without a word of meaning twice."""
    words = iter(draw.sample(WORDS, 6 * count))
    return " ".join(
        "The {} and {} of a {} {} {} the {}.".format(*(next(words) for _ in range(6))) for _ in range(count)
    )


def write_fields(draft: Mapping[str, Any], draw: random.Random) -> dict[str, Any]:
    """Return fields that fit the prompt and pass all gates."""
    emotion, prompt, long = draft["emotion"], draft["prompt"], sentences(draw, 6)
    return {
        "pretrain/caption": {"caption": long},
        "pretrain/vqa": {"question": "What is on the left?", "answer": long},
        "pretrain/sqa": {"question": "What does it do to a viewer?", "answer": f"It evokes {emotion}. {long}"},
        "finetune/reasoning": {"reasoning": long, "label": emotion},
        "hq/reasoning": {"observations": ["a boat"], "reasoning": long, "label": emotion},
        "dialogue/emotion": {
            "turns": [{"question": "What is there to see?", "answer": f"It evokes {emotion}. {long}"}]
        },
        "statements/pair": {
            "true_statement": sentences(draw, 1),
            "false_statement": sentences(draw, 1),
            "what_is_false": sentences(draw, 1),
        },
        "triggers/detail": {"detail": "the boat", "answer": f"The boat does it. {long}"},
        "preferences/pair": {
            "chosen": f"It evokes {emotion}. {long}",
            "flaw": "it is wrong",
            "rejected": sentences(draw, 6),
        },
    }[prompt]


def stored(digest: str, text: str, **changes: Any) -> StoredReply:
    """Return a reply of the Messages API with this text."""
    raw = orjson.dumps({"content": [{"type": "text", "text": text}], "stop_reason": "end_turn"})
    reply = StoredReply(digest, "answered", raw, 100, 50, 0.002, "anthropic", "m", None, None, None)
    return dataclasses.replace(reply, **changes)


def answer(drafts: Sequence[Mapping[str, Any]], write: Write = write_fields) -> Replies:
    """Return a reply to each draft."""
    return {
        draft["request_digest"]: stored(
            draft["request_digest"], orjson.dumps(write(draft, random.Random(draft["draft_id"]))).decode()
        )
        for draft in drafts
    }


def lookup(replies: Replies) -> Callable[[Sequence[str]], Replies]:
    """Return what `render_set` asks, like a ledger's method."""
    return lambda digests: {digest: replies[digest] for digest in digests if digest in replies}
