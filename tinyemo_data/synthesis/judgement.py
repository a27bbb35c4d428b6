"""Is a set fit to be learnt from? Judged by its funnel and its diversity, against limits that are data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tinyemo_data.synthesis.diversity import TaskDiversity
from tinyemo_data.synthesis.funnel import ACCEPTED, SURPLUS, WAITING, Funnel

FEWEST = 50  # records of a task under which its shares say little


@dataclass(frozen=True)
class SetLimits:
    """Where a set is no longer fit. The values are this project's own, set where a reader would look twice."""

    accepted: float = 0.5  # of the replies' records, a task: less, and the prompt or the model is at fault
    refused: float = 0.1  # of the replies, a task
    distinct_2: float = 0.1  # at least
    self_bleu: float = 0.8  # at most
    modal_opening: float = 0.3  # of the texts, at most
    smallest_class: float = 0.05  # of the largest, at least


DEFAULT = SetLimits()


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    task: str | None
    passed: bool
    blocking: bool  # would what follows be wrong?
    observed: float
    limit: float
    sentence: str  # for people


def judge_set(funnel: Funnel, diversity: Mapping[str, TaskDiversity], limits: SetLimits = DEFAULT) -> list[Finding]:
    """Return what was looked at, in a fixed order: the set as a whole, then task by task.

    Shares of tasks with few records are told and do not block.
    """
    return [
        *_judge_whole(funnel),
        *(one for task in funnel.tasks() for one in _judge_task(funnel, task, diversity, limits)),
    ]


def _judge_whole(funnel: Funnel) -> Iterator[Finding]:
    accepted, waiting = funnel.total(ACCEPTED), funnel.total(WAITING)
    yield Finding("has_records", None, accepted > 0, True, accepted, 1, f"{accepted} records were accepted.")
    yield Finding("is_complete", None, not waiting, False, waiting, 0, f"{waiting} drafts have no reply yet.")


def _judge_task(
    funnel: Funnel, task: str, diversity: Mapping[str, TaskDiversity], limits: SetLimits
) -> Iterator[Finding]:
    counts = {outcome: funnel.total(outcome, task) for outcome in (ACCEPTED, SURPLUS, WAITING, "refused")}
    came = funnel.total(task=task) - counts[WAITING]
    if not came:
        return
    enough = came >= FEWEST
    kept = (counts[ACCEPTED] + counts[SURPLUS]) / came
    yield Finding("acceptance", task, kept >= limits.accepted, enough, kept, limits.accepted,
                  f"{task}: {kept:.0%} of {came} passed all gates.")  # fmt: skip
    share = counts["refused"] / came
    yield Finding("refusals", task, share <= limits.refused, False, share, limits.refused,
                  f"{task}: {share:.0%} of {came} were refused.")  # fmt: skip
    if task in diversity:
        yield from _judge_diversity(task, diversity[task], limits)


def _judge_diversity(task: str, found: TaskDiversity, limits: SetLimits) -> Iterator[Finding]:
    enough = found.sampled >= FEWEST
    yield Finding("distinct_2", task, found.distinct_2 >= limits.distinct_2, enough, found.distinct_2,
                  limits.distinct_2, f"{task}: {found.distinct_2:.2f} of the bigrams are different.")  # fmt: skip
    yield Finding("self_bleu", task, found.self_bleu <= limits.self_bleu, enough, found.self_bleu,
                  limits.self_bleu, f"{task}: a text resembles the others by BLEU {found.self_bleu:.2f}.")  # fmt: skip
    yield Finding("modal_opening", task, found.modal_opening_share <= limits.modal_opening, False,
                  found.modal_opening_share, limits.modal_opening,
                  f"{task}: {found.modal_opening_share:.0%} begin with '{found.modal_opening}'.")  # fmt: skip
    yield Finding("smallest_class", task, found.smallest_class >= limits.smallest_class, False,
                  found.smallest_class, limits.smallest_class,
                  f"{task}: the rarest emotion has {found.smallest_class:.0%} of the commonest's records.")  # fmt: skip
