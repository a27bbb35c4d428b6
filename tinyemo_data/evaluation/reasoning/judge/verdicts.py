"""What the judge said: scores by criterion, and which of two texts is better whichever stands first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import orjson

from tinyemo_data.evaluation.bootstrap import Interval, percentile_interval
from tinyemo_data.evaluation.reasoning.judge.questions import PAIRED, Asked
from tinyemo_data.evaluation.reasoning.resampling import rounded
from tinyemo_data.synthesis.ledger import StoredReply
from tinyemo_data.synthesis.reply import read_reply

CRITERIA = ("relevance", "grounding", "plausibility", "clarity")
SCORES = {str(score): score for score in range(1, 6)}
BETTER = ("first", "second", "equal")
ORDER, NO_VERDICT = "order", ""  # what two verdicts on a pair come to, where they are no winner

Replies = Mapping[str, StoredReply]  # by the request's digest
Score = dict[str, int]  # criterion -> 1 to 5


@dataclass(frozen=True)
class ScoredRow:
    """The scores of one row's texts."""

    n: int  # texts with scores
    unscored: int  # refused, cut off, unreadable or never answered
    criteria: dict[str, "Mean"]


@dataclass(frozen=True)
class Mean:
    """The mean score over pictures, 1–5."""

    mean: float
    ci95: Interval


@dataclass(frozen=True)
class Preferred:
    """How often each of two rows is preferred; a text wins only if it does so in both orders."""

    first: str  # keys of rows
    second: str
    n: int  # pictures judged in both orders
    first_wins: int
    second_wins: int
    equal: int  # in both orders
    order_decided: int  # the verdicts of the two orders differ
    unscored: int


def read_scores(asked: Iterable[Asked], replies: Replies) -> dict[tuple[str, str], Score | None]:
    """Return the scores of each text by (key of its row, sample id); None where it got none."""
    return {(one.conditions[0].key, one.sample_id): _score(_fields(one, replies)) for one in asked}


def summarise_scores(scores: Mapping[tuple[str, str], Score | None], resamples: int, seed: int) -> dict[str, ScoredRow]:
    """Return each row's means by criterion; a row without a score has none."""
    rows: dict[str, list[Score | None]] = {}
    for (key, _), score in scores.items():
        rows.setdefault(key, []).append(score)
    return {key: _row(theirs, resamples, seed) for key, theirs in rows.items()}


def summarise_pairs(asked: Sequence[Asked], replies: Replies) -> list[Preferred]:
    """Return which row of each pair of rows is preferred."""
    said = {(*one.conditions, one.sample_id): _better(_fields(one, replies)) for one in asked}
    found = []
    for one, other in PAIRED:
        samples = [sample for first, second, sample in said if (first, second) == (one, other)]
        counts = [_agreed(said[one, other, sample], said[other, one, sample]) for sample in samples]
        if counts:
            first, second, equal, order, unscored = map(counts.count, (*BETTER, ORDER, NO_VERDICT))
            n = len(counts) - unscored
            found.append(Preferred(one.key, other.key, n, first, second, equal, order, unscored))
    return found


def _agreed(forward: str, backward: str) -> str:
    """Return the winner in both orders; ORDER where they differ, NO_VERDICT where one of them is missing."""
    if NO_VERDICT in (forward, backward):
        return NO_VERDICT
    turned = {"first": "second", "second": "first"}.get(backward, backward)
    return forward if forward == turned else ORDER


def _fields(asked: Asked, replies: Replies) -> dict[str, object]:
    """Return the fields of a complete reply; empty where there is none."""
    reply = replies.get(asked.outgoing.digest)
    if reply is None or reply.raw is None:
        return {}
    answer = read_reply(reply.raw)
    if answer.stop != "complete":
        return {}
    try:
        fields = orjson.loads(answer.text)
    except orjson.JSONDecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _score(fields: Mapping[str, object]) -> Score | None:
    found = {name: SCORES.get(str(fields.get(name))) for name in CRITERIA}
    score = {name: value for name, value in found.items() if value is not None}
    return score if len(score) == len(CRITERIA) else None


def _better(fields: Mapping[str, object]) -> str:
    better = fields.get("better")
    return better if isinstance(better, str) and better in BETTER else NO_VERDICT


def _row(scores: Sequence[Score | None], resamples: int, seed: int) -> ScoredRow:
    given = [score for score in scores if score is not None]
    criteria = {}
    for name in CRITERIA if given else ():
        values = np.array([float(score[name]) for score in given])
        low, high = percentile_interval(values, resamples, seed)
        criteria[name] = Mean(rounded(values.mean()), (rounded(low), rounded(high)))
    return ScoredRow(len(given), len(scores) - len(given), criteria)
