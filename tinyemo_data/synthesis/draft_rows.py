"""From a picture to a draft: the question, the facts it is judged against, and the canonical request."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import orjson

from tinyemo_data import taxonomy
from tinyemo_data.synthesis import tasks
from tinyemo_data.synthesis.order import Draws, rank_of
from tinyemo_data.synthesis.prompt import Prompt
from tinyemo_data.synthesis.recipe import Recipe, rules_digest
from tinyemo_data.synthesis.request import Request, make_request
from tinyemo_data.synthesis.subject import Facts, Subject
from tinyemo_data.synthesis.tasks import Asked, Setting, Task

FACTS = tuple(field.name for field in fields(Facts))


class Drafter:
    """Drafts of one recipe. Everything it returns is a function of the recipe and its arguments."""

    def __init__(self, recipe: Recipe) -> None:
        """Raises PromptError where a prompt of the recipe has no task."""
        self.recipe = recipe
        self._tasks: list[tuple[Prompt, Task]] = [(prompt, tasks.get(prompt.id)) for prompt in recipe.prompts]
        self._schemas: dict[tuple[str, str | None], Mapping[str, Any]] = {}

    def places(self, subject: Subject) -> Iterator[tuple[int, str, int, int]]:
        """Yield rank, draft_id, number of the prompt and number of the draw of each draft about a picture.

        Tasks that need a label have no draft about a picture that has none.
        """
        for number, (prompt, task) in enumerate(self._tasks):
            if task.needs_label and subject.emotion is None:
                continue
            name = prompt.id.partition("/")[2]
            for draw in range(1, self.recipe.draws + 1):
                draft_id = f"{subject.sample_id}#{name}" + (f"~{draw}" if draw > 1 else "")
                yield rank_of(self.recipe.seed, draft_id), draft_id, number, draw

    def row(self, subject: Subject, rank: int, draft_id: str, number: int) -> dict[str, Any]:
        """Return one row of the Draft table."""
        prompt, task = self._tasks[number]
        draws, sends_picture = Draws(self.recipe.seed, draft_id), self.recipe.picture_side is not None
        asked = task.ask(subject, Setting(prompt, draws, self.recipe.withheld_share, sends_picture))
        facts = facts_as_dict(subject.facts)
        request = self._request(subject, prompt, task, asked, facts, draws.seed())
        return {
            "draft_id": draft_id,
            "rank": rank,
            "sample_id": subject.sample_id,
            "dataset": subject.dataset,
            "image": subject.image,
            "picture_sha256": subject.sha256,
            "task": prompt.id.partition("/")[2],
            "variant": asked.variant,
            "emotion": subject.emotion,
            "taxonomy": subject.taxonomy,
            "label_origin": subject.label_origin,
            "options": asked.options,
            "question": asked.question,
            "known": orjson.dumps(facts).decode(),
            "prompt": prompt.id,
            "prompt_digest": prompt.digest,
            "request_digest": request.digest,
            "request": request.canonical,
        }

    def _request(
        self, subject: Subject, prompt: Prompt, task: Task, asked: Asked, facts: Mapping[str, Any], seed: int
    ) -> Request:
        side = self.recipe.picture_side
        return make_request(
            model=self.recipe.model_of(prompt),
            system=prompt.system,
            text=prompt.render(**asked.values),
            schema=self._schema(prompt, subject.taxonomy),
            max_tokens=self.recipe.max_tokens_of(prompt),
            seed=seed,
            picture=None if side is None else {"sha256": subject.sha256, "side": side},
            known=_known(subject, prompt, task, asked, facts) if self.recipe.backend == "rules" else None,
        )

    def _schema(self, prompt: Prompt, vocabulary: str | None) -> Mapping[str, Any]:
        # One schema a taxonomy, not one a draft: services compile a schema when they first see it, and a changed one
        # ends what they cached of the prompt. That the stated label is the right one is a gate's business.
        key = (prompt.id, vocabulary)
        if key not in self._schemas:
            labels = () if vocabulary is None else taxonomy.get(vocabulary).labels
            self._schemas[key] = prompt.schema(labels)
        return self._schemas[key]


def facts_as_dict(facts: Facts) -> dict[str, Any]:
    """Return facts by name, not copied."""
    return {name: getattr(facts, name) for name in FACTS}


def _known(subject: Subject, prompt: Prompt, task: Task, asked: Asked, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what rules answer from; like language models, they learn no label where the task tells none."""
    return {
        "rules": rules_digest(),
        "task": prompt.id,
        "variant": asked.variant,
        "emotion": subject.emotion if task.needs_label else None,
        "taxonomy": subject.taxonomy if task.needs_label else None,
        "options": asked.options,
        "question": asked.question,
        "facts": facts,
    }
