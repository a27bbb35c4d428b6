"""Sifting: a part of a set's drafts and their replies go through all gates that look at one record alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from tinyemo_data.synthesis.candidates import make_candidates
from tinyemo_data.synthesis.gates.judging import judge, look
from tinyemo_data.synthesis.gates.limits import DEFAULT, Limits
from tinyemo_data.synthesis.gates.replies import StoredReply
from tinyemo_data.synthesis.gates.sketches import Sketches, make_sketches
from tinyemo_data.synthesis.gates.words import find_words


@dataclass(frozen=True)
class Sifted:
    """What a part of the drafts became; every table in their order."""

    drafts: int  # how many they were
    waiting: pl.DataFrame  # drafts without a reply yet
    refused: pl.DataFrame  # replies that became no record
    failed: pl.DataFrame  # records that a gate turned away: columns of Candidates.assembled, `record_id`, verdict
    passed: pl.DataFrame  # the others, with the same columns, and `prose`
    sketches: Sketches  # of `passed`


def sift(drafts: pl.DataFrame, replies: Mapping[str, StoredReply], limits: Limits = DEFAULT) -> Sifted:
    """Parse the replies to some drafts (columns of Draft but `request`) and judge the records made of them.

    Pure: what becomes of a draft depends on itself and its reply alone.
    """
    candidates = make_candidates(drafts, replies)
    looked = look(candidates.assembled)
    records = candidates.assembled.with_columns(looked["prose"], record_id=pl.col("draft_id") + pl.col("suffix"))
    judged = records.hstack(judge(looked, limits))
    sketches = make_sketches(find_words(looked["prose"]), looked["picture_sha256"], limits.near_duplicate_words)
    has_passed = judged["gate"].is_null()
    return Sifted(
        drafts=len(drafts),
        waiting=candidates.waiting,
        refused=candidates.refused,
        failed=judged.filter(~has_passed),
        passed=judged.filter(has_passed),
        sketches=sketches.of(has_passed.to_numpy()),
    )
