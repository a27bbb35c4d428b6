"""What a request asks of the rules: its `known`, read and checked."""

import functools
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from tinyemo_data.errors import RulesError
from tinyemo_data.synthesis.backends.rules.evidence import Cue, Evidence, cues_of, gather, silent
from tinyemo_data.synthesis.backends.rules.grammar import Slots
from tinyemo_data.synthesis.backends.rules.lexicon import Emotion, emotion
from tinyemo_data.synthesis.backends.rules.sight import Sight, see
from tinyemo_data.synthesis.backends.rules.slots import describe
from tinyemo_data.synthesis.request import digest_of


@dataclass(frozen=True)
class Question:
    """One question about one picture."""

    task: str
    label: str | None
    taxonomy: str | None
    sight: Sight
    slots: Slots  # everything that may be said of the picture without naming a feeling
    rng: random.Random  # seeded with the request's seed, picture and `known`

    @functools.cached_property
    def evidence(self) -> list[Evidence]:
        """Return all of the picture that can be pointed at."""
        return gather(self.sight)

    @property
    def named(self) -> str:
        """Return the label. Raises RulesError where the picture has none."""
        if self.label is None:
            raise RulesError(
                f"The task '{self.task}' explains a label, and this picture has none (a dataset of dimensions alone). "
                "Ask pretrain/caption or pretrain/vqa of it."
            )
        return self.label


@dataclass(frozen=True, slots=True)
class Case:
    """What speaks for a label in a picture, and what does not."""

    emotion: Emotion
    cues: list[Cue]
    silent: list[Evidence]


def read_question(body: Mapping[str, Any]) -> Question:
    """Read a canonical request's body. Raises RulesError without `known`, or where nothing is known of the picture."""
    known = body.get("known")
    if not isinstance(known, Mapping) or not isinstance(known.get("task"), str):
        raise RulesError(
            "The rules answer from a request's `known`, with its task and facts; this request has "
            f"{known!r:.80}. Draft it for the backend 'rules'."
        )
    sight = see(known.get("facts") or {})
    rng = random.Random(_seed(body, known))
    slots = describe(sight, rng)
    if not slots:
        raise RulesError(
            f"Nothing is known of this picture, so that '{known['task']}' has no honest answer. Give its facts at "
            "least a size, a brightness or a scene."
        )
    return Question(known["task"], known.get("emotion"), known.get("taxonomy"), sight, slots, rng)


def case_for(question: Question, label: str) -> Case:
    """Return what speaks for a label in the picture. Raises UnknownLabelError for one without entries."""
    found = emotion(label)
    return Case(found, cues_of(found, question.evidence), silent(found, question.evidence))


def _seed(body: Mapping[str, Any], known: Mapping[str, Any]) -> int:
    """Return a number that depends on the seed, the picture and what is known, and not on any prompt's wording."""
    parts = {"seed": body.get("seed"), "picture": body.get("picture"), "known": known}
    return int.from_bytes(digest_of(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).encode(), "big")
