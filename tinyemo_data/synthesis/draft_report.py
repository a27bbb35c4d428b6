"""What a plan of drafts holds, counted while its subjects stream by."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tinyemo_data.synthesis.draft import drafts_key
from tinyemo_data.synthesis.recipe import Recipe
from tinyemo_data.synthesis.subject import Subject


@dataclass(frozen=True)
class DraftReport:
    """What a plan holds."""

    name: str
    key: str
    fingerprint: str
    made: bool  # False: it was there already, made of the same
    rows: int
    pictures: int
    unlabelled: int  # pictures without a label, which tasks that need one were not asked about
    by_task: Mapping[str, int]
    by_emotion: Mapping[str, int]  # drafts of labelled pictures


class Counts:
    """What was seen of the subjects while they streamed by."""

    def __init__(self) -> None:
        self.pictures = self.unlabelled = 0
        self.by_task: Counter[str] = Counter()
        self.by_emotion: Counter[str] = Counter()
        self._digest = hashlib.sha256()

    @property
    def digest(self) -> str:
        """Return a digest of all subjects, in their order."""
        return self._digest.hexdigest()

    def add(self, subject: Subject, line: bytes, task_names: list[str]) -> None:
        """Count a subject, its packed form `line`, and the tasks of its drafts."""
        self.pictures += 1
        self.unlabelled += subject.emotion is None
        self._digest.update(line)
        self.by_task.update(task_names)
        if subject.emotion is not None:
            self.by_emotion[subject.emotion] += len(task_names)

    def report(self, recipe: Recipe, fingerprint: str) -> DraftReport:
        """Return what a plan of all these holds."""
        return DraftReport(
            name=recipe.name,
            key=drafts_key(recipe.name),
            fingerprint=fingerprint,
            made=True,
            rows=sum(self.by_task.values()),
            pictures=self.pictures,
            unlabelled=self.unlabelled,
            by_task=dict(sorted(self.by_task.items())),
            by_emotion=dict(sorted(self.by_emotion.items())),
        )
