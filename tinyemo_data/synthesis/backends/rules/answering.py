"""The rules backend: an answer to any request, made of nothing but what is known of its picture."""

import functools
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from tinyemo_data.errors import RulesError, nearest
from tinyemo_data.synthesis.backends.rules.question import Question, read_question
from tinyemo_data.synthesis.backends.rules.tasks import (
    caption,
    dialogue,
    preferences,
    reasoning,
    sqa,
    statements,
    triggers,
    vqa,
)

VERSION = "1"
FOLDER = Path(__file__).parent
TASKS: Mapping[str, Callable[[Question], dict[str, Any]]] = {
    "dialogue/emotion": dialogue.answer,
    "finetune/reasoning": reasoning.answer_short,
    "hq/reasoning": reasoning.answer_careful,
    "preferences/pair": preferences.answer,
    "pretrain/caption": caption.answer,
    "pretrain/sqa": sqa.answer,
    "pretrain/vqa": vqa.answer,
    "statements/pair": statements.answer,
    "triggers/detail": triggers.answer,
}


@functools.cache
def fingerprint() -> str:
    """Return a digest of all that answers depend on, code, tables and wording: 8 hex characters."""
    digest = hashlib.sha256()
    for path in sorted([*FOLDER.rglob("*.py"), *FOLDER.rglob("*.yaml")]):
        digest.update(path.relative_to(FOLDER).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def answer(body: Mapping[str, Any]) -> bytes:
    """Return the raw reply to a canonical request's body: `{"rules": version, "text": JSON of the reply's fields}`.

    A pure function of the request's seed, picture and `known`: `{"task", "variant", "emotion", "taxonomy", "options",
    "question", "facts"}`, the facts being the fields of `subject.Facts`. Raises RulesError for a task that there is
    not, a task that needs a label of a picture that has none, or a picture of which nothing is known;
    UnknownLabelError for a label that the rules' lexicon does not have.
    """
    question = read_question(body)
    if question.task not in TASKS:
        raise RulesError(
            f"The rules know no task '{question.task}'.{nearest(question.task, TASKS)} Known: {', '.join(TASKS)}. "
            "Use a backend with a language model for other prompts."
        )
    fields = TASKS[question.task](question)
    return orjson.dumps({"rules": VERSION, "text": orjson.dumps(fields).decode()})
