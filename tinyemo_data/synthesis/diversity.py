"""Diversity: do the records of a set say different things, and are its classes even?

Texts are measured on a seeded sample of each task, of the same size whatever the set's, since distinct-n falls and
self-BLEU rises with the number of texts.
"""

import hashlib
import heapq
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tinyemo_data.synthesis.self_bleu import self_bleu

SAMPLE = 1_000  # texts a task
SELF_BLEU_SAMPLE = 200  # each compared with all the others, as Texygen (Zhu et al. 2018) does with its references
OPENING = 3  # words
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


@dataclass(frozen=True)
class TaskDiversity:
    """How different the texts of one task are."""

    texts: int  # all of them
    sampled: int
    distinct_2: float  # different bigrams over all bigrams (Li et al. 2016), 0–1: the higher, the more varied
    self_bleu: float  # mean BLEU-4 of a text against the others (Zhu et al. 2018), 0–1: the lower, the more varied
    modal_opening: str  # the commonest first three words
    modal_opening_share: float  # of the sample
    smallest_class: float  # records of the rarest emotion over those of the commonest, 0–1; 1 where there is one
    evenness: float  # entropy of the emotions over that of equal ones (Pielou), 0–1; 1 where there is one


@dataclass
class Sampler:
    """Keeps a seeded sample of texts that stream by: those whose hashes are smallest, whatever their order."""

    seed: int = 0
    size: int = SAMPLE
    _kept: dict[str, list[tuple[int, str, str]]] = field(default_factory=dict)

    def add(self, task: str, names: Sequence[str], texts: Sequence[str]) -> None:
        """Look at texts of a task, each with its own name (such as its record's id)."""
        kept = self._kept.setdefault(task, [])
        for name, text in zip(names, texts, strict=True):
            score = -int.from_bytes(hashlib.blake2b(f"{self.seed}/{name}".encode(), digest_size=8).digest(), "big")
            if len(kept) < self.size:
                heapq.heappush(kept, (score, name, text))
            elif score > kept[0][0]:
                heapq.heapreplace(kept, (score, name, text))

    def texts(self, task: str) -> list[str]:
        """Return a task's sample, in the order of its hashes."""
        return [text for _, _, text in sorted(self._kept.get(task, ()), reverse=True)]

    def tasks(self) -> list[str]:
        """Return the tasks of which there are texts, sorted."""
        return sorted(self._kept)


def measure_diversity(sampler: Sampler, accepted: Mapping[tuple[str | None, str], int]) -> dict[str, TaskDiversity]:
    """Return the diversity of each task, from a sample of its texts and its records by emotion and task."""
    by_task: dict[str, Counter[str]] = {}
    for (emotion, task), count in accepted.items():
        by_task.setdefault(task, Counter())[emotion or ""] += count
    return {task: _measure(sampler.texts(task), by_task[task]) for task in sampler.tasks() if task in by_task}


def _measure(texts: Sequence[str], classes: Counter[str]) -> TaskDiversity:
    words = [WORD.findall(text.lower()) for text in texts]
    opening, share = modal_opening(words)
    return TaskDiversity(
        texts=classes.total(),
        sampled=len(texts),
        distinct_2=distinct_n(words, 2),
        self_bleu=self_bleu(words[:SELF_BLEU_SAMPLE]),
        modal_opening=opening,
        modal_opening_share=share,
        smallest_class=min(classes.values()) / max(classes.values()),
        evenness=evenness(classes.values()),
    )


def distinct_n(texts: Iterable[Sequence[str]], n: int) -> float:
    """Return different n-grams over all n-grams of texts (Li et al. 2016, "A Diversity-Promoting Objective"), 0–1.

    1 where there are none.
    """
    grams = [tuple(words[i : i + n]) for words in texts for i in range(len(words) - n + 1)]
    return len(set(grams)) / len(grams) if grams else 1.0


def modal_opening(texts: Iterable[Sequence[str]]) -> tuple[str, float]:
    """Return the commonest first three words and the share of texts that begin so; of equals the first by letters."""
    openings = Counter(" ".join(words[:OPENING]) for words in texts)
    if not openings:
        return "", 0.0
    opening = min(openings, key=lambda one: (-openings[one], one))
    return opening, openings[opening] / openings.total()


def evenness(counts: Iterable[int]) -> float:
    """Return Pielou's evenness: Shannon entropy over its maximum, 0–1; 1 for a single class."""
    present = [count for count in counts if count]
    if len(present) < 2:
        return 1.0
    total = sum(present)
    entropy = -sum(count / total * math.log(count / total) for count in present)
    return entropy / math.log(len(present))


def as_json(diversity: Mapping[str, TaskDiversity]) -> dict[str, Any]:
    """Return the measurements as JSON can hold them."""
    return {task: asdict(measured) for task, measured in sorted(diversity.items())}
