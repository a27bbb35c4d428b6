"""Turns: who speaks when, where the picture's token stands, and whether there are words at all.

TinyLLaVA Factory pairs turns by position, stops at an odd count, ignores a picture whose token is missing and shifts
pictures to other samples where there is more than one.
"""

import polars as pl

from tinyemo_data.synthesis.gates.columns import IMAGE
from tinyemo_data.synthesis.gates.gate import Findings, say_if
from tinyemo_data.synthesis.gates.limits import Limits

ALTERNATING = r"^human,gpt(?:,human,gpt)*$"


def find_wrong_roles(_limits: Limits) -> Findings:
    """Turns that do not go human, gpt, human, gpt to an even end."""
    roles = pl.col("roles")
    return {"roles_do_not_alternate": say_if(~roles.str.contains(ALTERNATING), "turns are {}", roles)}


def find_misplaced_image(_limits: Limits) -> Findings:
    """A picture's token that is missing, repeated, or in another turn than the first."""
    first = pl.col("values").list.first().str.count_matches(IMAGE, literal=True)
    others = pl.col("everything").str.count_matches(IMAGE, literal=True) - first
    return {
        "image_token_missing": say_if(first == 0, "the first turn has no <image>"),
        "image_token_repeated": say_if(first > 1, "the first turn has {} of them", first),
        "image_token_misplaced": say_if(others > 0, "{} of them after the first turn", others),
    }


def find_empty_turn(_limits: Limits) -> Findings:
    """A turn, or a rejected answer, without a letter or digit in it."""
    texts = pl.col("values").list.eval(pl.element().str.replace(IMAGE, "", literal=True))
    blank = texts.list.eval(~pl.element().str.contains(r"[\p{L}\p{N}]"))
    worse = pl.col("rejected")
    return {
        "empty_turn": say_if(blank.list.any(), "turn {} has no word", blank.list.arg_max() + 1),
        "empty_rejected": say_if(~worse.str.contains(r"[\p{L}\p{N}]"), "the rejected answer has no word"),
    }
